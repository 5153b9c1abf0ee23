/*
 * System calls that Swift can't make itself: macros over control messages, the window between fork and exec,
 * calls without a libc wrapper, and code that must be safe in a signal handler.
 */
#ifndef SWSGI_SYSTEM_H
#define SWSGI_SYSTEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/** How many descriptors one message may carry: a reply end and a file. */
#define SWSGI_DESCRIPTORS_MAX 2

/** sendmsg with SCM_RIGHTS (the CMSG macros don't import). EINTR is retried, SIGPIPE never raised. Returns bytes sent or -errno. */
ssize_t swsgi_send(int socket, const struct iovec *_Nonnull parts, size_t part_count, const int *_Nullable descriptors,
                   size_t descriptor_count, int flags);

/** recvmsg with SCM_RIGHTS; descriptors arrive close-on-exec, those past the maximum are closed.
    EINTR is returned, as a thread may be told to stop by a signal. Returns bytes (0: end of file) or -errno;
    -EMSGSIZE when a message did not fit. */
ssize_t swsgi_receive(int socket, void *_Nonnull buffer, size_t capacity, int *_Nonnull descriptors,
                      size_t *_Nonnull descriptor_count, int flags);

/** prctl (variadic): orphans among what we and our children started become our children. */
void swsgi_adopt_orphans(void);

/** What a new program gets. Descriptor i of `descriptors` becomes descriptor i; every other one is closed. */
typedef struct swsgi_spawn_request {
    const char *_Nonnull path;
    char *_Nullable const *_Nonnull arguments;
    char *_Nullable const *_Nonnull environment;
    const int *_Nonnull descriptors;
    size_t descriptor_count;
    /** 1: become uid, gid and groups, for good, and prove it. 0: stay who we are. */
    int change_identity;
    uid_t uid;
    gid_t gid;
    const gid_t *_Nullable groups;
    size_t group_count;
    /** Working directory, entered as the new identity; null: "/". */
    const char *_Nullable directory;
    /** File mode creation mask; negative: keep ours. */
    int umask;
    /** Niceness; 0: keep ours. */
    int priority;
    /** 1: no program ever gets more rights than it is started with, and no capability is left to be had. */
    int confine;
    /** The soft limit of open files, as far as the hard one allows it; 0: ours. */
    uint64_t descriptor_limit;
    /** 1: with a change of identity, CAP_SYS_CHROOT stays, for `swsgi_enter_root`. */
    int keep_chroot;
} swsgi_spawn_request;

/** Where a spawn failed. */
enum {
    SWSGI_SPAWN_OK = 0,
    SWSGI_SPAWN_FORK = 1,
    SWSGI_SPAWN_DESCRIPTORS = 2,
    SWSGI_SPAWN_GROUPS = 3,
    SWSGI_SPAWN_GID = 4,
    SWSGI_SPAWN_UID = 5,
    SWSGI_SPAWN_REGAINED = 6,
    SWSGI_SPAWN_DIRECTORY = 7,
    SWSGI_SPAWN_EXEC = 8,
    SWSGI_SPAWN_PRIORITY = 9,
    SWSGI_SPAWN_CONFINE = 10
};

/** fork, then exec in a session of its own: between the two only async-signal-safe calls are allowed, which Swift can't promise. Returns the stage that failed with its errno, or SWSGI_SPAWN_OK and the pid. */
int swsgi_spawn(const swsgi_spawn_request *_Nonnull request, pid_t *_Nonnull pid, int *_Nonnull error);

/** chroot, chdir("/"), and no way back: gives up the capabilities of the calling thread, the process's only one (capset has no
    libc wrapper, prctl is variadic). Returns 0 or -errno. */
int swsgi_enter_root(const char *_Nonnull root);

/** The calling thread's processor, or -1 (Swift's Glibc leaves sched_getcpu out); no system call. */
int swsgi_processor(void);

/** Whether others of the same user may look into the process, and a core dump be written of it (prctl is variadic). */
int swsgi_set_dumpable(int dumpable);

/** A descriptor that becomes readable when process `pid` ends (no libc wrapper), or -errno. */
int swsgi_pidfd_open(pid_t pid);

/** Blocks signals and makes a non-blocking descriptor that delivers them (signalfd.h is not in Swift's Glibc). Returns it or -errno. */
int swsgi_signal_descriptor(const int *_Nonnull signals, size_t count);

/** Takes the next signal from such a descriptor; 0 when there is none (the record's layout is signalfd.h's). */
int swsgi_signal_next(int descriptor);

/** memfd_create, filled and sealed against every change (fcntl is variadic). Returns a descriptor or -errno. */
int swsgi_sealed_memory(const char *_Nonnull name, const void *_Nonnull bytes, size_t length);

/** A memfd of `length` zero bytes that nobody can resize. Returns a descriptor or -errno. */
int swsgi_shared_memory(const char *_Nonnull name, size_t length);

/** Whether `descriptor` is a memfd sealed against shrinking and writing (F_GET_SEALS needs variadic fcntl). */
int swsgi_is_sealed(int descriptor);

/** How many exchanges a process can run at once, for the crash handler's table. */
#define SWSGI_RUNNING_MAX 4096

/** Puts handlers before those of the Swift runtime for fatal signals. A handler must be async-signal-safe: it ends every
    running exchange at once (no client waits for a backtrace), writes one record of `record_length` bytes with the signal's
    number in byte `signal_offset` to `control`, lets the former handler write its backtrace for at most `limit_seconds`,
    and dies of the signal. */
int swsgi_crash_handlers_install(int control, const void *_Nonnull record, size_t record_length, size_t signal_offset,
                                 unsigned limit_seconds);

/** Lets a fatal signal leave a core dump in `directory`; without this call there is none. */
void swsgi_crash_dumps(const char *_Nonnull directory);

/** The running exchange of request thread `slot`: its reply socket and text for the log. Read by the crash handler, hence plain
    atomics in static memory. */
void swsgi_running_set(size_t slot, int reply, const char *_Nonnull entry_file, const char *_Nonnull request_line);

/** Takes the reply socket of thread `slot` out of the crash handler's hands, before it goes back to httpd, which may use it for
    another exchange at once. Returns 0 when the crash handler has ended it before. */
int swsgi_running_hand_over(size_t slot);

/** Thread `slot` runs nothing any more. Returns 0 when the crash handler is about to end its reply socket, or has: then it must
    not be closed, as its number would become another's. */
int swsgi_running_end(size_t slot);

/** Ends every running exchange, as the crash handler does before anything else: no client waits for a backtrace. */
void swsgi_running_shut_down(void);

/** Copies the request line of thread `slot`, with a NUL; 0 when it runs nothing. Another thread may end that exchange at any
    moment, and its memory with it: so the kernel reads it, which says EFAULT where a plain read would crash. */
int swsgi_running_line(size_t slot, char *_Nonnull line, size_t capacity);

/** Request thread `slot`, with this number, may take an exchange or holds one that `swsgi_running_set` does not know yet; 0:
    no more. Set before `swsgi_has_crashed` is asked, so that either the thread or the crash handler sees the other. */
void swsgi_waiting_set(size_t slot, int thread);

/** Whether the crash handler has begun: no more exchanges are to be taken. */
int swsgi_has_crashed(void);

/** 1 in a process that an application has forked, and that has not executed another program: `swsgi_forks_watch` sees to it. */
extern int swsgi_copy;
static inline int swsgi_is_copy(void) { return swsgi_copy; }

/** From now on a fork() closes the copies of reply sockets in the new process, and marks that (pthread_atfork). Returns 0 or -errno. */
int swsgi_forks_watch(void);

/** Gives the calling thread an alternate signal stack, so that a stack overflow can be reported (MINSIGSTKSZ is a macro). */
int swsgi_signal_stack_install(void);

/** Bytes of each text, cut where it is longer, and addresses of what a request thread shows of itself. */
#define SWSGI_LOOK_TEXT 2048
#define SWSGI_LOOK_FRAMES 48

/** Puts the handler in place that a thread shows its stack with: it runs in that thread, at any place of its code. */
int swsgi_look_install(void);

/** Asks request thread `slot`, with this number, what it is doing, and waits for `milliseconds`. To be called by one thread.
    Returns how many addresses there are, -ETIMEDOUT (it blocks the signal), -EBUSY (a thread does not come back from showing
    its stack) or -ENOSYS (the handler has been replaced). */
int swsgi_look_take(size_t slot, int thread, unsigned milliseconds, char *_Nonnull file, char *_Nonnull line,
                    void *_Nullable *_Nonnull addresses);

/** Before the first bundle is mapped into a process that belongs to somebody else: remembers that one's handlers of fatal
    signals, and clears the way for those of the Swift runtime, which takes no place that is taken. */
void swsgi_guest_open(void);

/** After it: a fatal signal is reported with what the thread runs, then the runtime's handler writes its backtrace for at most
    `limit_seconds`, and the owner's handler has the last word. What the runtime handles besides is put back. The report
    begins with `code`. An exit() that a request calls is reported with `code_of_exit`. To be called once in a process. */
void swsgi_guest_close(unsigned limit_seconds, const char *_Nonnull code, const char *_Nonnull code_of_exit);

/** What the calling thread, with this number, runs: text for the log, which lives until it is null again, and the log. */
void swsgi_guest_set(size_t slot, int log, const char *_Nullable entry_file, const char *_Nullable request_line);

/** Where an address of code lies. */
typedef struct swsgi_code {
    const char *_Nullable path;
    uintptr_t base;
    /** The exported function, or null. */
    const char *_Nullable symbol;
    uintptr_t symbol_start;
    /** Whether it is this program, whose path is not kept. */
    int is_program;
} swsgi_code;

/** dladdr, which hides behind _GNU_SOURCE. Returns 0 when nothing lies there. */
int swsgi_code_find(uintptr_t address, swsgi_code *_Nonnull code);

/** For the crash handler: gives a look up that its own thread has crashed in, over a broken stack. */
void swsgi_look_escape(void);

/** Copies the texts of a running exchange, in the thread that runs it. */
void swsgi_running_copy(size_t slot, char *_Nonnull entry_file, char *_Nonnull request_line,
                        void (*_Nonnull copy)(char *_Nonnull target, const char *_Nullable text));

/** The Swift runtime's own function for readable names; frees nothing, returns memory of malloc or null. No header has it. */
char *_Nullable swift_demangle(const char *_Nonnull name, size_t length, char *_Nullable buffer, size_t *_Nullable size,
                               uint32_t flags);

/** A signal's short name without "SIG", or null (sigabbrev_np hides behind _GNU_SOURCE). */
const char *_Nullable swsgi_signal_name(int number);

/** Shows `title` in process lists: as the name (prctl is variadic) and in the memory of the arguments and environment, which
    the environment is moved out of. */
void swsgi_process_title(int argument_count, char *_Nullable *_Nonnull arguments, const char *_Nonnull title);

/** Lets standard output leave line by line (the FILE objects are mutable globals, out of Swift's reach). */
void swsgi_line_buffering(void);

/** Writes what standard output holds back and ends the process, without the clean-up that may crash under running threads. */
_Noreturn void swsgi_end(int status);

/** Makes the calling thread the one that SIGTERM, SIGINT, SIGUSR1, SIGXCPU, SIGHUP and SIGUSR2 reach, whichever thread they
    hit: it sees them in `swsgi_control_wait` only. SIGPIPE does nothing; the wake signal ends waiting calls. */
int swsgi_control_thread(void);

/** Waits until `descriptor` is readable (returns 0), a signal has come (its number), a thread has waked us (-EINTR) or
    the time is over (-ETIMEDOUT). The signals are let in by ppoll alone, so that none is missed. */
int swsgi_control_wait(int descriptor, int milliseconds);

/** Ends a waiting call of another thread with EINTR, or wakes the control thread (`thread` 0). */
void swsgi_wake(int thread);

/** The calling thread's number (gettid hides behind _GNU_SOURCE). */
int swsgi_thread_number(void);

#endif
