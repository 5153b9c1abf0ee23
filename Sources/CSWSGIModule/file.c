/* Parts of files as buckets. */
#define _GNU_SOURCE
#include "module_private.h"

#include "apr_portable.h"
#include "util_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* APR's own file bucket maps files, or reads a file that has become shorter as if that were all. This one reads with pread,
   without a position that others could share, and says that the end came too early. */
struct file {
    apr_bucket_refcount count;
    int descriptor;
};

enum { piece = 64 * 1024 };

static void file_destroy(void *data) {
    struct file *file = data;
    if (!apr_bucket_shared_destroy(file)) return;
    close(file->descriptor);
    apr_bucket_free(file);
}

static apr_status_t file_read(apr_bucket *b, const char **text, apr_size_t *length, apr_read_type_e block) {
    struct file *file = b->data;
    apr_size_t wanted = b->length < piece ? b->length : piece;
    char *buffer = apr_bucket_alloc(wanted, b->list);
    ssize_t got;
    (void)block;
    do got = pread(file->descriptor, buffer, wanted, b->start);
    while (got < 0 && errno == EINTR);
    if (got <= 0) {
        apr_bucket_free(buffer);
        return APR_EOF;
    }
    if ((apr_size_t)got < b->length) apr_bucket_split(b, (apr_size_t)got);
    apr_bucket_heap_make(b, buffer, (apr_size_t)got, apr_bucket_free);
    file_destroy(file);
    *text = buffer;
    *length = (apr_size_t)got;
    return APR_SUCCESS;
}

static const apr_bucket_type_t file_type = {"SWSGI_FILE", 5, APR_BUCKET_DATA, file_destroy, file_read, apr_bucket_setaside_noop,
                                            apr_bucket_shared_split, apr_bucket_shared_copy};

static apr_bucket *file_bucket(int descriptor, apr_off_t offset, apr_size_t length, apr_bucket_alloc_t *alloc) {
    apr_bucket *b = apr_bucket_alloc(sizeof *b, alloc);
    struct file *file = apr_bucket_alloc(sizeof *file, alloc);
    APR_BUCKET_INIT(b);
    b->free = apr_bucket_free;
    b->list = alloc;
    file->descriptor = descriptor;
    b = apr_bucket_shared_make(b, file, offset, length);
    b->type = &file_type;
    return b;
}

/* Whether buckets come to the socket as they are: no filter changes or encrypts the content. */
static int reaches_socket(request_rec *r) {
    if (r->connection->master) return 0;
    for (ap_filter_t *f = r->output_filters; f; f = f->next) {
        int type = f->frec->ftype;
        if (type < AP_FTYPE_PROTOCOL || (type >= AP_FTYPE_CONNECTION && type < AP_FTYPE_NETWORK - 1)) return 0;
    }
    return 1;
}

/* APR's own file bucket, which the kernel can send; that a file has become shorter is then seen at the socket. */
static apr_bucket *kernel_bucket(request_rec *r, int descriptor, apr_off_t offset, apr_size_t length) {
    apr_file_t *file;
    apr_os_file_t number;
    /* A descriptor that APR has opened is closed with its pool, wherever filters set it aside; one that was put in is not. */
    if (apr_file_open(&file, "/", APR_FOPEN_READ | APR_FOPEN_SENDFILE_ENABLED, APR_OS_DEFAULT, r->pool) != APR_SUCCESS) return NULL;
    if (apr_os_file_get(&number, file) != APR_SUCCESS || dup3(descriptor, number, O_CLOEXEC) < 0) return NULL;
    close(descriptor);
    apr_bucket *b = apr_bucket_file_create(file, offset, length, r->pool, r->connection->bucket_alloc);
    apr_bucket_file_enable_mmap(b, 0);
    return b;
}

void swsgi_response_add_file(request_rec *r, apr_bucket_brigade *brigade, int descriptor, int64_t offset, size_t length, int sendfile) {
    apr_bucket *b = sendfile && reaches_socket(r) ? kernel_bucket(r, descriptor, offset, length) : NULL;
    if (!b) b = file_bucket(descriptor, offset, length, r->connection->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, b);
    if (r->status == HTTP_OK && !apr_table_get(r->headers_out, "Accept-Ranges")) ap_set_accept_ranges(r);
}
