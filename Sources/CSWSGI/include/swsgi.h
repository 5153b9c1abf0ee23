/*
 * swsgi.h: the contract between a host of Swift web applications and a bundle, version 1.
 *
 * A bundle is an ELF shared object that exports one function, `application` (or the name its entry file gives).
 * The host calls it once per instance, with its own table, and gets the application's table back:
 *
 *     const swsgi_application *application(const swsgi_host *host);
 *
 * Both tables begin with an ABI version and their own size; each side reads only fields that lie within the other's
 * size, so that either may grow at its end. A side that meets a version it does not know uses nothing else of the table.
 *
 * Rules
 *  - Text is bytes with a length. Text that the host hands out is also followed by a NUL that the length does not count,
 *    and lives as long as the exchange (facts of the host table: as long as the process).
 *  - An exchange belongs to the thread that runs `respond`, from the call until its return. The application may hand it
 *    to another thread in between, but never uses it from two threads at once, and never after `respond` has returned.
 *    The host refuses the calls of a second thread (SWSGI_ERROR_IN_USE) and those with an exchange that is over
 *    (SWSGI_ERROR_ENDED): they reach no other exchange.
 *  - `application` may be defined without its parameter: `respond` gets the host's table too.
 *  - Nothing is ever unloaded: tables, and what they point at, must stay valid until the process ends.
 *
 * Written for the manual's page "The bundle ABI", which says the same for readers of other languages.
 */
#ifndef SWSGI_H
#define SWSGI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#define SWSGI_NULLABLE _Nullable
#define SWSGI_NONNULL _Nonnull
#else
#define SWSGI_NULLABLE
#define SWSGI_NONNULL
#endif

/** The version of this contract. Changed only when a table's existing fields change their meaning. */
#define SWSGI_ABI_VERSION 1u

/** One request and its response; opaque. */
typedef struct swsgi_exchange swsgi_exchange;

/** Bytes with a length; `bytes` may be null only when `length` is 0. */
typedef struct swsgi_text {
    const char *SWSGI_NULLABLE bytes;
    size_t length;
} swsgi_text;

/** One header field of a response. */
typedef struct swsgi_header {
    swsgi_text name;
    swsgi_text value;
} swsgi_header;

/** What the host's functions return: 0 or more is success. */
enum {
    SWSGI_OK = 0,
    /** The client has gone, or httpd has given the exchange up. */
    SWSGI_ERROR_CLIENT_GONE = -1,
    /** A final status is 200 to 599, and its reason phrase at most 256 bytes of ASCII without control characters. */
    SWSGI_ERROR_STATUS = -2,
    /** A header name is not a token (RFC 9110, section 5.6.2). */
    SWSGI_ERROR_HEADER_NAME = -3,
    /** A header value holds CR, LF, NUL or another control character (RFC 9110, section 5.5). */
    SWSGI_ERROR_HEADER_VALUE = -4,
    /** The response has been started before. */
    SWSGI_ERROR_STARTED = -5,
    /** The response has not been started. */
    SWSGI_ERROR_NOT_STARTED = -6,
    /** More bytes than the Content-Length that the application gave: the rest was not sent. */
    SWSGI_ERROR_TOO_LONG = -7,
    /** The head of the response is larger than the host takes. */
    SWSGI_ERROR_HEAD_SIZE = -8,
    /** The request body could not be read to its end. */
    SWSGI_ERROR_BODY = -9,
    /** A Content-Length that is not a decimal number, or a second one. */
    SWSGI_ERROR_CONTENT_LENGTH = -10,
    /** Not a regular file that can be read, or not all of the part lies within it. */
    SWSGI_ERROR_FILE = -11,
    /** More interim responses than one exchange may have: it was not sent. */
    SWSGI_ERROR_LIMIT = -12,
    /** `respond` has returned: the exchange is over, and the pointer to it refers to nothing any more. */
    SWSGI_ERROR_ENDED = -13,
    /** Another thread is in a call with this exchange. */
    SWSGI_ERROR_IN_USE = -14
};

/** Levels of the error log, with httpd's values. */
enum {
    SWSGI_LOG_CRITICAL = 2,
    SWSGI_LOG_ERROR = 3,
    SWSGI_LOG_WARNING = 4,
    SWSGI_LOG_NOTICE = 5,
    SWSGI_LOG_INFO = 6,
    SWSGI_LOG_DEBUG = 7
};

/** What `event` of the application's table tells. */
enum {
    /** The process takes no more requests; those that run go on. `detail` is the reason: "shutdown_signal", "graceful_signal",
        "eviction_signal", "maximum_requests", "restart_interval", "inactivity_timeout", "request_timeout",
        "deadlock_timeout", "cpu_time_limit", "script_reload", "rss_limit", "idle_group", "descriptor_limit"; there may be more. */
    SWSGI_EVENT_DRAINING = 1,
    /** A signal for the application: `detail` is "SIGHUP" or "SIGUSR2". */
    SWSGI_EVENT_SIGNAL = 2,
    /** The last exchange has ended, and `stopping` comes next. `detail` is the reason, as with SWSGI_EVENT_DRAINING. */
    SWSGI_EVENT_STOPPING = 3
};

typedef struct swsgi_host swsgi_host;

/** The host's table. */
struct swsgi_host {
    /** SWSGI_ABI_VERSION of the host. */
    uint32_t abi_version;
    /** Bytes of this table. */
    uint32_t size;
    /** Name and version of the host, as in "mod_swsgi/0.1.0". */
    swsgi_text software;
    /** Name of the process group; empty in embedded mode. */
    swsgi_text process_group;
    /** Name of the application group; empty for %{GLOBAL}. */
    swsgi_text application_group;
    /** Path of the entry file that this instance was loaded from. */
    swsgi_text entry_file;
    /** Request threads of this process: how many exchanges may run in it at once. */
    uint32_t threads;
    /** Daemon processes of this process group. */
    uint32_t processes;

    /** Looks an environ key up. Returns 1 and sets `value`, or 0. Nothing is copied. */
    int (*SWSGI_NONNULL environ_get)(swsgi_exchange *SWSGI_NONNULL exchange, const char *SWSGI_NONNULL name,
                                     size_t name_length, swsgi_text *SWSGI_NONNULL value);
    /** How many environ keys the exchange has. */
    size_t (*SWSGI_NONNULL environ_count)(swsgi_exchange *SWSGI_NONNULL exchange);
    /** The environ key and value at `index`, in the server's order. Returns 1, or 0 past the end. */
    int (*SWSGI_NONNULL environ_at)(swsgi_exchange *SWSGI_NONNULL exchange, size_t index, swsgi_text *SWSGI_NONNULL name,
                                    swsgi_text *SWSGI_NONNULL value);
    /** Reads up to `capacity` bytes of the request body; waits for at least one.
        Returns how many, 0 at the end of the body, or an error. */
    int64_t (*SWSGI_NONNULL read)(swsgi_exchange *SWSGI_NONNULL exchange, void *SWSGI_NONNULL buffer, size_t capacity);
    /** Sets status and headers; they leave with the first bytes of the body, or with the end. Copies what it keeps. */
    int (*SWSGI_NONNULL start_response)(swsgi_exchange *SWSGI_NONNULL exchange, uint32_t status, swsgi_text reason,
                                        const swsgi_header *SWSGI_NULLABLE headers, size_t header_count);
    /** Adds bytes to the body of the response; may keep them back until there are more, a flush or the end. */
    int (*SWSGI_NONNULL write)(swsgi_exchange *SWSGI_NONNULL exchange, const void *SWSGI_NULLABLE bytes, size_t length);
    /** Sends what was kept back to the client now. */
    int (*SWSGI_NONNULL flush)(swsgi_exchange *SWSGI_NONNULL exchange);
    /** 1 when nobody waits for this response any more. */
    int (*SWSGI_NONNULL cancelled)(swsgi_exchange *SWSGI_NONNULL exchange);
    /** Writes text to the error log of the exchange's virtual host, a line for each line of it.
        Without an exchange, at any time and from any thread: to the log of the process group. */
    void (*SWSGI_NONNULL log)(const swsgi_host *SWSGI_NONNULL host, swsgi_exchange *SWSGI_NULLABLE exchange, int level,
                              const char *SWSGI_NULLABLE text, size_t length);

    /* From here on, ask SWSGI_HAS before use: a host may be older than this header. */

    /** Adds `length` bytes of a regular file, from `offset`, to the body; `length` below 0: all up to the file's end.
        httpd reads the file itself, from a description of its own: position and life of the descriptor are the caller's,
        who may close it at once. The file's content must not change before the client has it. */
    int (*SWSGI_NONNULL send_file)(swsgi_exchange *SWSGI_NONNULL exchange, int descriptor, int64_t offset, int64_t length);
    /** Sends an interim response, 102 or 103, before `start_response`; nothing to a client of HTTP/1.0. At most 100 for one exchange. */
    int (*SWSGI_NONNULL interim)(swsgi_exchange *SWSGI_NONNULL exchange, uint32_t status,
                                 const swsgi_header *SWSGI_NULLABLE headers, size_t header_count);
    /** Sets the fields that follow the body, once, after `start_response`. Clients of HTTP/2 get them. */
    int (*SWSGI_NONNULL trailers)(swsgi_exchange *SWSGI_NONNULL exchange, const swsgi_header *SWSGI_NULLABLE headers,
                                  size_t header_count);
};

/** Whether a table is large enough to have a field. */
#define SWSGI_HAS(table, field) ((table)->size >= (size_t)((const char *)(&(table)->field + 1) - (const char *)(table)))

/** The application's table. */
typedef struct swsgi_application {
    /** SWSGI_ABI_VERSION that the bundle was compiled with. */
    uint32_t abi_version;
    /** Bytes of this table. */
    uint32_t size;
    /** Name and version of what made the bundle, as in "SWSGI/0.1.0 Swift/6.3"; shown in the log. May be empty. */
    swsgi_text sdk;
    /** Handed back in every call. */
    void *SWSGI_NULLABLE context;
    /** Answers one request. Called from any request thread, from several at once. Returns 0 when the response is
        complete, also after SWSGI_ERROR_TOO_LONG. SWSGI_ERROR_CLIENT_GONE hands the host's own result back: there was
        nobody to answer, which is no failure. Anything else is one: 500 when nothing has been sent yet, and otherwise
        the client's connection is aborted, so that the response does not look complete. */
    int (*SWSGI_NONNULL respond)(void *SWSGI_NULLABLE context, const swsgi_host *SWSGI_NONNULL host,
                                 swsgi_exchange *SWSGI_NONNULL exchange);
    /** Called once, when the last exchange has ended and the process is about to end. May be null. */
    void (*SWSGI_NULLABLE stopping)(void *SWSGI_NULLABLE context, const swsgi_host *SWSGI_NONNULL host);

    /* From here on, a bundle may be older than this header: the host asks for the table's size. */

    /** Called with what happens to the process, one event after the other, from a thread of the host's while exchanges run.
        `detail` lives until the function returns. An event of an unknown number is to be ignored. May be null. */
    void (*SWSGI_NULLABLE event)(void *SWSGI_NULLABLE context, const swsgi_host *SWSGI_NONNULL host, int event,
                                 swsgi_text detail);
} swsgi_application;

/** What a bundle exports. A null result means that it refuses to serve; it should have logged why. */
typedef const swsgi_application *SWSGI_NULLABLE (*swsgi_application_function)(const swsgi_host *SWSGI_NONNULL host);

/* ---- Services: what a daemon process with threads=0 runs in place of requests ---- */

typedef struct swsgi_control swsgi_control;

/** How a service learns that its process is to end. */
struct swsgi_control {
    /** SWSGI_ABI_VERSION of the host. */
    uint32_t abi_version;
    /** Bytes of this table. */
    uint32_t size;
    /** 1 when the process is to end: `run` should return soon. From any thread. */
    int (*SWSGI_NONNULL stopping)(const swsgi_control *SWSGI_NONNULL control);
    /** Waits for that, for `milliseconds` at most; below 0: for ever. Returns 1 when the process is to end, 0 when the time is
        over. From any thread. */
    int (*SWSGI_NONNULL wait)(const swsgi_control *SWSGI_NONNULL control, int64_t milliseconds);
};

/** The service's table. */
typedef struct swsgi_service {
    /** SWSGI_ABI_VERSION that the bundle was compiled with. */
    uint32_t abi_version;
    /** Bytes of this table. */
    uint32_t size;
    /** As in `swsgi_application`. */
    swsgi_text sdk;
    /** Handed back in every call. */
    void *SWSGI_NULLABLE context;
    /** Does the work, on the main thread of the process. When it returns the process ends, and is started again unless it was
        told to end; a result other than 0 is an error in the log. Of the host's table only the facts and `log` without an
        exchange are of use. */
    int (*SWSGI_NONNULL run)(void *SWSGI_NULLABLE context, const swsgi_host *SWSGI_NONNULL host,
                             const swsgi_control *SWSGI_NONNULL control);
} swsgi_service;

/** What a bundle with a service exports, by default as `service`. A null result means that it refuses; it should have logged why. */
typedef const swsgi_service *SWSGI_NULLABLE (*swsgi_service_function)(const swsgi_host *SWSGI_NONNULL host);

/* ---- Scripts: what httpd asks of a bundle about a request, before it is served ----
 *
 * A script is an application like any other, exported by the name of the question. Its exchanges have the environ of the
 * request and no body, and beside that SWSGI_QUESTION with the question's name, and what the question is about. The answer
 * is a response with status 200, no body, and these headers; whatever else comes counts as no answer: access is refused.
 *
 *     question          beside the environ                  SWSGI-Answer, and SWSGI-Value
 *     allow_access      swsgi.host                          yes; no; none: others decide
 *     check_password    swsgi.user, swsgi.password          yes, perhaps with the user's name for REMOTE_USER; no; none: unknown user
 *     get_realm_hash    swsgi.user, swsgi.realm             yes, with the 32 hex digits of MD5(user:realm:password); none: unknown user
 *     groups_for_user   swsgi.user                          yes, with SWSGI-Value once for each group
 *     dispatch_request                                      yes, with SWSGI-Value once for each "process-group=NAME",
 *                                                           "application-group=NAME" or "callable-object=NAME" that is to change
 */

#define SWSGI_QUESTION "swsgi.question"
#define SWSGI_QUESTION_HOST "swsgi.host"
#define SWSGI_QUESTION_USER "swsgi.user"
#define SWSGI_QUESTION_PASSWORD "swsgi.password"
#define SWSGI_QUESTION_REALM "swsgi.realm"
#define SWSGI_ANSWER "SWSGI-Answer"
#define SWSGI_VALUE "SWSGI-Value"

#if defined(__cplusplus)
#define SWSGI_ASSERT(condition, reason) static_assert(condition, reason)
#else
#define SWSGI_ASSERT(condition, reason) _Static_assert(condition, reason)
#endif

#if defined(__LP64__)
SWSGI_ASSERT(sizeof(swsgi_text) == 16, "swsgi_text is a pointer and a size");
SWSGI_ASSERT(sizeof(swsgi_header) == 32, "swsgi_header is two texts");
SWSGI_ASSERT(offsetof(swsgi_host, software) == 8, "version and size come first");
SWSGI_ASSERT(offsetof(swsgi_host, threads) == 72, "facts come before functions");
SWSGI_ASSERT(offsetof(swsgi_host, environ_get) == 80, "functions follow the facts");
SWSGI_ASSERT(offsetof(swsgi_host, log) == 144, "the first table of version 1 ended here");
SWSGI_ASSERT(sizeof(swsgi_host) == 176, "version 1 of the host's table");
SWSGI_ASSERT(offsetof(swsgi_application, sdk) == 8, "version and size come first");
SWSGI_ASSERT(offsetof(swsgi_application, respond) == 32, "the context comes before the functions");
SWSGI_ASSERT(offsetof(swsgi_application, event) == 48, "the first table of version 1 ended here");
SWSGI_ASSERT(sizeof(swsgi_application) == 56, "version 1 of the application's table");
SWSGI_ASSERT(sizeof(swsgi_control) == 24, "version 1 of a service's control table");
SWSGI_ASSERT(sizeof(swsgi_service) == 40, "version 1 of the service's table");
#endif

#ifdef __cplusplus
}
#endif

#endif
