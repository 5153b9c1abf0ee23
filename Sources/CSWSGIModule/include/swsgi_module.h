/*
 * The border between httpd and Swift. httpd's types stay in the C files: here they are opaque.
 * First what C offers, because it is macros, variadic functions or fields of httpd's structures; then what Swift implements.
 */
#ifndef SWSGI_MODULE_H
#define SWSGI_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "swsgi_scripts.h"

struct request_rec;
struct server_rec;
struct apr_bucket_brigade;

/** Where a directive stands. */
typedef struct swsgi_place {
    const char *_Nonnull file;
    int line;
    /** The virtual host, or the main server. */
    struct server_rec *_Nonnull server;
} swsgi_place;

/** What a server record says (its fields are httpd's). */
typedef struct swsgi_server_facts {
    const char *_Nonnull host_name;
    int is_virtual;
    /** Descriptor of its error log, or -1 when that is no file. */
    int log;
    /** Log level of this module. */
    int log_level;
    /** Where it is defined. */
    const char *_Nonnull file;
    int line;
    /** Microseconds: its Timeout. */
    int64_t timeout;
} swsgi_server_facts;

swsgi_server_facts swsgi_server_facts_get(struct server_rec *_Nonnull server);

/** Who httpd's children are (`ap_unixd_config`), and whether we could become somebody else. */
typedef struct swsgi_httpd_facts {
    uint32_t uid, gid;
    const char *_Nonnull user_name;
    /** Whether httpd runs as root. */
    int is_root;
    /** The most children that it can have at once. */
    int children;
    /** The runtime directory, absolute. */
    const char *_Nonnull runtime_directory;
    /** CoreDumpDirectory, when it is configured. */
    const char *_Nullable dump_directory;
} swsgi_httpd_facts;

swsgi_httpd_facts swsgi_httpd_facts_get(void);

/** How many children httpd may have, how many threads each, whether its MPM has threads, and GracefulShutdownTimeout, in
    seconds. */
typedef struct swsgi_child_facts {
    int threads, children, is_threaded, graceful_timeout;
} swsgi_child_facts;

swsgi_child_facts swsgi_child_facts_get(void);

/** A copy of text that lives as long as the request. */
const char *_Nonnull swsgi_request_text(struct request_rec *_Nonnull request, const char *_Nonnull text);

/** The main server, once the configuration has been read. */
struct server_rec *_Nullable swsgi_main_server(void);

/** Writes a line to a server's error log (ap_log_error is variadic). */
void swsgi_log_server(struct server_rec *_Nonnull server, int level, const char *_Nonnull text);

/** Writes a line to the error log, decorated with the request (ap_log_rerror is variadic). */
void swsgi_log_request(struct request_rec *_Nonnull request, int level, const char *_Nonnull text);

/** Descriptor of the error log that a request's lines go to, or -1 when that is no file. */
int swsgi_request_log(struct request_rec *_Nonnull request);

/** Lets httpd's parent watch a supervisor: `swsgi_supervisor_ended` is called once with its pid when it has ended. */
void swsgi_watch(int pid);

/** The path of this shared object. */
const char *_Nullable swsgi_module_path(void);

/** Where the calling thread keeps its number; 0 as long as it has none (thread-local storage without a lookup). */
int *_Nonnull swsgi_request_thread(void);

/** A network of WSGITrustedProxies: the first `bits` of 128; IPv4 in its IPv4-mapped form. */
typedef struct swsgi_network {
    uint64_t high, low;
    int32_t bits;
} swsgi_network;

/** Values of `error_override`. */
enum { SWSGI_OVERRIDE_NONE = 0, SWSGI_OVERRIDE_ERRORS = 1, SWSGI_OVERRIDE_LISTED = 2 };
/** Bytes of a set of statuses: a bit for each from 0 to 599. */
enum { SWSGI_STATUS_SET = 75 };
/** Values of WSGIMapHEADToGET. */
enum { SWSGI_HEAD_OFF = 0, SWSGI_HEAD_ON = 1, SWSGI_HEAD_AUTO = 2 };

/** What a request's fields and the configuration say. Text lives as long as the request. */
typedef struct swsgi_request_facts {
    /** What these facts are for; null: to serve the request. */
    const swsgi_question *_Nullable question;
    /** Of WSGIDispatchScript; null: there is none. */
    const swsgi_alias *_Nullable dispatch_script;
    struct server_rec *_Nonnull server;
    const char *_Nonnull file_name;
    const char *_Nonnull line;
    const char *_Nonnull process_group;
    const char *_Nonnull application_group;
    const char *_Nonnull symbol;
    /** A variable that one of the three names needs, and that is not defined. */
    const char *_Nullable undefined;
    /** 1: mapped by WSGIScriptAlias or WSGIScriptAliasMatch, or for the script of a WSGIHandlerScript. */
    int is_alias;
    /** 1: for the script of a WSGIHandlerScript; `file_name` and what follows are that script's, not the resource's. */
    int is_handler;
    /** Names that WSGIRestrictProcess allows; null: all. */
    const char *_Nonnull const *_Nullable allowed_groups;
    int allowed_group_count;
    /** 1: Options ExecCGI. */
    int may_execute;
    /** 0: nothing there, 1: a regular file, 2: a directory, 3: something else. */
    int file_kind;
    /** 1: AcceptPathInfo Off, and there is path info. */
    int refuses_path_info;
    int reloading;
    int has_body;
    int header_only;
    /** 1: the request body is chunked, and WSGIChunkedRequest is Off. */
    int refuses_chunks;
    /** 1: the request body has a Transfer-Encoding beside or in place of chunked. */
    int is_encoded;
    /** 1: the method is CONNECT. */
    int is_tunnel;
    /** 1: the Content-Length is over LimitRequestBody. */
    int is_too_large;
    /** One of SWSGI_OVERRIDE_, and the statuses for the last of them. */
    int error_override;
    const unsigned char *_Nullable error_statuses;
    int local_redirect;
    /** 1: no activity for inactivity-timeout. */
    int ignore_activity;
    /** WSGITrustedProxyHeaders, as numbers of `ProxyHeader`; none: nothing to do. */
    const int32_t *_Nullable proxy_headers;
    int proxy_header_count;
    /** WSGITrustedProxies; null: every peer is trusted. */
    const swsgi_network *_Nullable proxies;
    int proxy_count;
    /** The address that httpd has for who asks: the connection's, or what mod_remoteip found. */
    const char *_Nonnull peer;
    /** 1: WSGIEnableSendfile. */
    int sendfile;
    uint64_t device, inode;
    int64_t size, modified, changed;
    /** Microseconds since 1970. */
    int64_t start;
    /** Microseconds: httpd's Timeout. */
    int64_t timeout;
} swsgi_request_facts;

/** `chosen` goes before what is configured. */
swsgi_request_facts swsgi_request_facts_get(struct request_rec *_Nonnull request, const swsgi_destination *_Nullable chosen);
/** The same to ask a question; `symbol` is the function that is asked. */
swsgi_request_facts swsgi_question_facts_get(struct request_rec *_Nonnull request, const swsgi_question *_Nonnull question,
                                             const char *_Nonnull symbol);

/** An environ field, as APR's tables store it. */
typedef struct swsgi_field {
    const char *_Nullable name;
    const char *_Nullable value;
    uint32_t checksum;
} swsgi_field;

/** Builds the environ with httpd's CGI functions. Sets `count`; the fields live as long as the request. */
const swsgi_field *_Nullable swsgi_environ(struct request_rec *_Nonnull request, int *_Nonnull count);
/** The same with what a question is about; the request's own table stays as it is. */
const swsgi_field *_Nullable swsgi_question_environ(struct request_rec *_Nonnull request, const swsgi_question *_Nonnull question,
                                                    const char *_Nonnull symbol, int *_Nonnull count);

/** A brigade for the bodies of one request, used again for each piece of them. */
struct apr_bucket_brigade *_Nonnull swsgi_brigade(struct request_rec *_Nonnull request);

/** Results of `swsgi_body_read`. */
enum { SWSGI_BODY_END = 0, SWSGI_BODY_WAIT = -1, SWSGI_BODY_FAILED = -2 };

/** Reads up to `capacity` bytes of the request body through the input filters; `waits` 0: only what is there.
    Returns bytes, or one of the results above with the right `status`. */
int64_t swsgi_body_read(struct request_rec *_Nonnull request, struct apr_bucket_brigade *_Nonnull brigade,
                        void *_Nonnull buffer, size_t capacity, int waits, int *_Nonnull status);

/** Whether the client waits for "100 Continue", which httpd sends only when somebody waits for the body. */
int swsgi_expects_continue(struct request_rec *_Nonnull request);

/** The socket of the request's connection; -1 when it has none of its own (HTTP/2). */
int swsgi_connection_socket(struct request_rec *_Nonnull request);

/** No other request comes on the connection. */
void swsgi_connection_close(struct request_rec *_Nonnull request);

/** 1 when httpd knows that nobody reads the response any more. */
int swsgi_connection_aborted(struct request_rec *_Nonnull request);

/** The status of the response as it is now. */
int swsgi_response_status(struct request_rec *_Nonnull request);

/** Says that nobody reads the response any more: nothing is sent, and the access log has status 499. */
void swsgi_connection_abort(struct request_rec *_Nonnull request);

/** Says for a 405 that an application takes every method but CONNECT and TRACE. */
void swsgi_allow_methods(struct request_rec *_Nonnull request);

/** Sets status and reason of the response; clears what an earlier try may have set. */
void swsgi_response_begin(struct request_rec *_Nonnull request, int status, const char *_Nullable reason, size_t reason_length);

/** Results of `swsgi_response_header`. */
enum { SWSGI_HEADER_SERVERS = 0, SWSGI_HEADER_TAKEN = 1, SWSGI_HEADER_NO_DATE = 2 };

/** Sets the line of an error that httpd answers itself, where it has none of its own for the status. */
void swsgi_error_begin(struct request_rec *_Nonnull request, int status, const char *_Nullable reason, size_t reason_length);

/** Adds a response header, or drops one that belongs to the server, or a Last-Modified that is no date. Name and value have
    been checked. */
int swsgi_response_header(struct request_rec *_Nonnull request, const char *_Nonnull name, size_t name_length,
                          const char *_Nullable value, size_t value_length);

void swsgi_response_length(struct request_rec *_Nonnull request, int64_t length);

/** Adds a header of the application's to httpd's own response for an error status, if it belongs to the status. */
void swsgi_error_header(struct request_rec *_Nonnull request, const char *_Nonnull name, size_t name_length,
                        const char *_Nullable value, size_t value_length);

/** Answers the request as if it had been a GET for another path of this server; returns OK. */
int swsgi_redirect(struct request_rec *_Nonnull request, const char *_Nonnull location);

/** Adds a field to the headers as they are now, or to the trailers; one that belongs to the server is dropped. */
void swsgi_field_add(struct request_rec *_Nonnull request, int trailer, const char *_Nonnull name, size_t name_length,
                     const char *_Nullable value, size_t value_length);

/** Puts other headers in the place of the response's, which are returned; null when the client takes no interim responses. */
void *_Nullable swsgi_interim_begin(struct request_rec *_Nonnull request);
/** Sends them at once, and puts the response's headers back. */
void swsgi_interim_end(struct request_rec *_Nonnull request, void *_Nonnull headers, int status);

/** What httpd decides for a conditional GET or HEAD by the validators of a response with 200: 304, 412, or 0 for the response
    as it is. For 304 the response is changed already; 412 is for the handler to return. */
int swsgi_response_condition(struct request_rec *_Nonnull request);

/** Adds Retry-After to an error's headers. */
void swsgi_retry_after(struct request_rec *_Nonnull request, int seconds);

/** Limits how long one write to the client may wait, in microseconds; returns the former limit. Without a socket of its own
    (HTTP/2) nothing changes. */
__attribute__((swift_attr("@discardableResult")))
int64_t swsgi_client_timeout(struct request_rec *_Nonnull request, int64_t microseconds);

/** What goes with the bytes of `swsgi_response_pass`. */
enum { SWSGI_PASS_FLUSH = 1, SWSGI_PASS_END = 2, SWSGI_PASS_ABORT = 4 };

/** Adds bytes, which must stay until they have been passed. */
void swsgi_response_add(struct request_rec *_Nonnull request, struct apr_bucket_brigade *_Nonnull brigade,
                        const void *_Nullable bytes, size_t length);

/** Adds a part of a regular file and takes the descriptor over. The kernel's sendfile is used when `sendfile` says so and
    nothing on the way to the client looks at the bytes. */
void swsgi_response_add_file(struct request_rec *_Nonnull request, struct apr_bucket_brigade *_Nonnull brigade, int descriptor,
                             int64_t offset, size_t length, int sendfile);

/** Whether a filter sees the content before httpd's protocol does: it may change or keep it. */
int swsgi_response_is_filtered(struct request_rec *_Nonnull request);

/** Results of `swsgi_response_pass`. */
enum { SWSGI_CLIENT_GONE = 0, SWSGI_PASSED = 1, SWSGI_FILE_ENDED = 2 };

/** Passes what has been added down the output filters. */
int swsgi_response_pass(struct request_rec *_Nonnull request, struct apr_bucket_brigade *_Nonnull brigade, int flags);

/** Calls `swsgi_death_report` with `token` once the response has left. */
void swsgi_report_later(struct request_rec *_Nonnull request, void *_Nonnull token);

/* ---- Implemented in Swift ---- */

/** A new configuration begins: forget the former one. */
void swsgi_configuration_begin(void);
/** WSGIDaemonProcess. Writes an error to `error` and returns 0, or returns 1. */
int swsgi_define_group(const char *_Nonnull arguments, const swsgi_place *_Nonnull place, char *_Nonnull error, size_t capacity);
/** A process group is named. */
void swsgi_use_group(const char *_Nonnull name, const swsgi_place *_Nonnull place);

/** WSGISlowRequests. Writes an error and returns 0, or returns 1. */
int swsgi_slow_requests(const char *_Nonnull value, char *_Nonnull error, size_t capacity);

/** WSGIRestrictStdin (1), WSGIRestrictStdout (2), WSGIRestrictSignal (4), WSGIRestrictEmbedded (8). */
void swsgi_restrict(int what, int on, const char *_Nonnull directive, const swsgi_place *_Nonnull place);

/** <WSGIInterpreterOptions>: its arguments. What follows, until its end, stands in it. Writes an error and returns 0, or returns 1. */
int swsgi_section_begin(const char *_Nonnull arguments, const swsgi_place *_Nonnull place, char *_Nonnull error, size_t capacity);
/** Whether a directive may stand in it. Writes an error and returns 0, or returns 1. */
int swsgi_section_check(const char *_Nonnull directive, char *_Nonnull error, size_t capacity);
void swsgi_section_end(void);

/** WSGIImportScript. Writes an error and returns 0, or returns 1. */
int swsgi_import_script(const char *_Nonnull path, const char *_Nonnull arguments, const swsgi_place *_Nonnull place,
                        char *_Nonnull error, size_t capacity);

/** A directive of mod_wsgi that has no effect here. */
void swsgi_ignore_directive(const char *_Nonnull name, const swsgi_place *_Nonnull place);

/** A directive of this kind. Writes an error and returns 0, or fills `alias` and returns 1. */
int swsgi_define_alias(int kind, const char *_Nonnull arguments, swsgi_alias *_Nonnull alias, char *_Nonnull error, size_t capacity);
/** Says that httpd can't compile the expression of WSGIScriptAliasMatch. */
void swsgi_refuse_pattern(const char *_Nonnull pattern, char *_Nonnull error, size_t capacity);
/** Checks the name of a group, or an expansion that gives it. Writes an error and returns 0, or returns 1. */
int swsgi_check_name(const char *_Nonnull directive, const char *_Nonnull name, char *_Nonnull error, size_t capacity);
/** WSGICallableObject, likewise. */
int swsgi_check_callable(const char *_Nonnull directive, const char *_Nonnull name, char *_Nonnull error, size_t capacity);
/** WSGIHandlerScript and those after it: the script is loaded before requests when its groups are literal. */
void swsgi_note_script(const swsgi_alias *_Nonnull script, const swsgi_place *_Nonnull place);
/** WSGIRestrictProcess: a name of its list. */
void swsgi_note_allowed(const char *_Nonnull name, const swsgi_place *_Nonnull place);
/** WSGIRestrictProcess without a name. */
void swsgi_refuse_empty_list(const char *_Nonnull directive, char *_Nonnull error, size_t capacity);
/** An alias of a server, with the literal groups of its target, where they are known. */
void swsgi_note_alias(const swsgi_alias *_Nonnull alias, const char *_Nullable process_group, const char *_Nullable application_group,
                      const char *_Nullable denier, struct server_rec *_Nonnull server);
/** An alias's group is known at start: its entry file is loaded before its processes take work. */
void swsgi_preload(const swsgi_alias *_Nonnull alias, const char *_Nonnull process_group, const char *_Nonnull application_group,
                   struct server_rec *_Nonnull server);
/** An alias has no process group, or %{GLOBAL}; with `application_group` (null: not known at start) each child loads it first. */
void swsgi_embeds(const swsgi_alias *_Nonnull alias, const char *_Nullable application_group);
/** WSGITrustedProxies: an address or network. Returns 1, or 0 with an error. */
int swsgi_parse_network(const char *_Nonnull text, swsgi_network *_Nonnull network, char *_Nonnull error, size_t capacity);
/** WSGITrustedProxyHeaders: the number of a header, or -1 with an error. */
int swsgi_parse_proxy_header(const char *_Nonnull name, char *_Nonnull error, size_t capacity);
/** Remember which proxies and headers are trusted, to warn of headers that everybody may send. */
void swsgi_note_network(const swsgi_network *_Nonnull network, const swsgi_place *_Nonnull place);
void swsgi_note_header(int header, const swsgi_place *_Nonnull place);
/** WSGIErrorOverride: one of SWSGI_OVERRIDE_, or -1 with an error. */
int swsgi_parse_override(const char *_Nonnull arguments, unsigned char *_Nonnull statuses, char *_Nonnull error, size_t capacity);
/** WSGIMapHEADToGET: one of SWSGI_HEAD_, or -1 with an error. */
int swsgi_parse_head(const char *_Nonnull value, char *_Nonnull error, size_t capacity);
/** An On/Off directive: 0, 1, or -1 with an error. */
int swsgi_flag(const char *_Nonnull directive, const char *_Nonnull value, char *_Nonnull error, size_t capacity);
/** How many bytes of a URI an alias's location matches; 0: none. */
size_t swsgi_alias_match(const char *_Nonnull uri, const char *_Nonnull location);
/** The whole configuration has been read: servers have their names. */
void swsgi_configuration_read(void);
/** Checks it. Returns 1, or 0 after writing errors to the log of `server`. */
int swsgi_configuration_check(struct server_rec *_Nonnull server);
/** Writes what is doubtful in the configuration, but no error; in a test of it, waits for what is known of files. */
void swsgi_configuration_remark(struct server_rec *_Nonnull server, int is_test);
/** LoadModule names another wsgi_module than this one: writes the error. */
void swsgi_second_module(const char *_Nonnull own, const char *_Nonnull other, char *_Nonnull error, size_t capacity);
/** Prints what was understood of the configuration. */
void swsgi_dump(struct server_rec *_Nonnull server);
/** Makes the queues and starts the supervisor. Returns 1, or 0 after writing errors. */
int swsgi_generation_begin(struct server_rec *_Nonnull server);
/** The configuration goes; `is_stop`: and httpd with it, which waits for its supervisors then. */
void swsgi_generation_left(int is_stop);
/** About once a second, and whenever a supervisor has ended. */
void swsgi_parent_turn(struct server_rec *_Nonnull server);
void swsgi_supervisor_ended(int pid, int status);
/** In a new child of httpd, and when it ends. */
void swsgi_child_begin(void);
void swsgi_child_end(void);
/** Serves a request: a status for httpd, 0 (OK) when the response has been sent. */
int swsgi_handle(struct request_rec *_Nonnull request);
void swsgi_death_report(struct request_rec *_Nonnull request, void *_Nonnull token);

#endif
