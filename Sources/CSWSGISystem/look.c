#define _GNU_SOURCE
#include "swsgi_system.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* One look at a time: asked for by one thread, answered by a signal handler in another one. */
enum { NOBODY, ASKED, SHOWING, SHOWN };

static atomic_int state, asked_thread;
static size_t asked_slot;
static char entry_file[SWSGI_LOOK_TEXT], request_line[SWSGI_LOOK_TEXT];
static void *frames[SWSGI_LOOK_FRAMES];
static int frame_count;
static sigjmp_buf escape;

static void copy_text(char *target, const char *text) {
    size_t length = text ? strnlen(text, SWSGI_LOOK_TEXT - 1) : 0;
    memcpy(target, text ? text : "", length);
    target[length] = 0;
}

/* In the thread itself: while this runs, what it works on can't go away. backtrace() has been called before, so that it loads
   nothing; from then on it neither allocates nor locks (glibc 2.35 and libgcc 12 or later). */
static void on_look(int number) {
    int before = errno, asked = ASKED;
    (void)number;
    if (atomic_load(&asked_thread) == gettid() && atomic_compare_exchange_strong(&state, &asked, SHOWING)) {
        swsgi_running_copy(asked_slot, entry_file, request_line, copy_text);
        frame_count = 0;
        if (sigsetjmp(escape, 1) == 0) frame_count = backtrace(frames, SWSGI_LOOK_FRAMES);
        atomic_store(&state, SHOWN);
    }
    errno = before;
}

void swsgi_look_escape(void) {
    if (atomic_load(&state) == SHOWING && atomic_load(&asked_thread) == gettid()) siglongjmp(escape, 1);
}

int swsgi_look_install(void) {
    struct sigaction action = {.sa_handler = on_look, .sa_flags = SA_RESTART | SA_ONSTACK};
    backtrace(frames, SWSGI_LOOK_FRAMES);
    return sigaction(SIGRTMIN + 2, &action, NULL) < 0 ? -errno : 0;
}

static int has_shown(unsigned milliseconds) {
    for (unsigned passed = 0; atomic_load(&state) != SHOWN && passed < milliseconds; passed++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return atomic_load(&state) == SHOWN;
}

int swsgi_look_take(size_t slot, int thread, unsigned milliseconds, char *file, char *line, void **addresses) {
    int asked = ASKED;
    struct sigaction current;
    /* Without our handler the signal would end the process. */
    if (sigaction(SIGRTMIN + 2, NULL, &current) < 0 || current.sa_handler != on_look) return -ENOSYS;
    if (thread == 0 || atomic_load(&state) != NOBODY) return -EBUSY;
    asked_slot = slot;
    atomic_store(&asked_thread, thread);
    atomic_store(&state, ASKED);
    syscall(SYS_tgkill, getpid(), thread, SIGRTMIN + 2);
    if (!has_shown(milliseconds)) {
        if (atomic_compare_exchange_strong(&state, &asked, NOBODY)) return -ETIMEDOUT;
        /* It is in the handler. If that takes so long, nobody looks again. */
        if (!has_shown(1000)) return -EBUSY;
    }
    memcpy(file, entry_file, sizeof entry_file);
    memcpy(line, request_line, sizeof request_line);
    memcpy(addresses, frames, sizeof frames);
    int count = frame_count;
    atomic_store(&state, NOBODY);
    return count;
}

int swsgi_code_find(uintptr_t address, swsgi_code *code) {
    Dl_info info, own;
    if (!dladdr((void *)address, &info) || !info.dli_fname) return 0;
    *code = (swsgi_code){.path = info.dli_fname, .base = (uintptr_t)info.dli_fbase, .symbol = info.dli_sname,
                         .symbol_start = (uintptr_t)info.dli_saddr};
    code->is_program = dladdr((void *)swsgi_code_find, &own) && own.dli_fbase == info.dli_fbase;
    return 1;
}
