/* Bodies and response heads: bucket brigades and the fields of a response. */
#include "module_private.h"

#include <limits.h>

#include "apr_date.h"
#include "apr_portable.h"

apr_bucket_brigade *swsgi_brigade(request_rec *r) { return apr_brigade_create(r->pool, r->connection->bucket_alloc); }

int64_t swsgi_body_read(request_rec *r, apr_bucket_brigade *brigade, void *buffer, size_t capacity, int waits, int *status) {
    apr_size_t length = capacity;
    int64_t result = SWSGI_BODY_WAIT;
    do {
        apr_status_t code = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES,
                                           waits ? APR_BLOCK_READ : APR_NONBLOCK_READ, (apr_off_t)capacity);
        if (!waits && (APR_STATUS_IS_EAGAIN(code) || (code == APR_SUCCESS && APR_BRIGADE_EMPTY(brigade)))) break;
        if (code == APR_SUCCESS) {
            length = capacity;
            code = apr_brigade_flatten(brigade, buffer, &length);
        }
        if (code != APR_SUCCESS) {
            *status = ap_map_http_request_error(code, APR_STATUS_IS_TIMEUP(code) ? HTTP_REQUEST_TIME_OUT : HTTP_BAD_REQUEST);
            result = SWSGI_BODY_FAILED;
            break;
        }
        if (length > 0) result = (int64_t)length;
        else if (!APR_BRIGADE_EMPTY(brigade) && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade))) result = SWSGI_BODY_END;
        apr_brigade_cleanup(brigade);
    } while (waits && result == SWSGI_BODY_WAIT);
    apr_brigade_cleanup(brigade);
    return result;
}

int swsgi_connection_socket(request_rec *r) {
    apr_socket_t *socket = r->connection->master ? NULL : ap_get_conn_socket(r->connection);
    apr_os_sock_t descriptor = -1;
    return socket && apr_os_sock_get(&descriptor, socket) == APR_SUCCESS ? descriptor : -1;
}

int swsgi_expects_continue(request_rec *r) { return r->expecting_100; }

int swsgi_connection_aborted(request_rec *r) { return r->connection->aborted; }

int swsgi_response_status(request_rec *r) { return r->status; }

int64_t swsgi_client_timeout(request_rec *r, int64_t microseconds) {
    apr_socket_t *socket = r->connection->master ? NULL : ap_get_conn_socket(r->connection);
    apr_interval_time_t former = microseconds;
    /* APR hands milliseconds to poll as an int. */
    apr_interval_time_t limit = microseconds > INT_MAX * 1000LL ? INT_MAX * 1000LL : microseconds;
    if (socket && apr_socket_timeout_get(socket, &former) == APR_SUCCESS) apr_socket_timeout_set(socket, limit);
    return former;
}

void swsgi_connection_close(request_rec *r) { r->connection->keepalive = AP_CONN_CLOSE; }

void swsgi_connection_abort(request_rec *r) {
    r->connection->aborted = 1;
    r->connection->keepalive = AP_CONN_CLOSE;
    r->status = 499;
}

void swsgi_allow_methods(request_rec *r) { ap_allow_standard_methods(r, 1, M_GET, M_POST, M_PUT, M_DELETE, M_PATCH, M_OPTIONS, -1); }

int swsgi_response_is_filtered(request_rec *r) { return r->output_filters && r->output_filters->frec->ftype < AP_FTYPE_PROTOCOL; }

void swsgi_error_begin(request_rec *r, int status, const char *reason, size_t reason_length) {
    /* Of a status without a usual line httpd would make a 500. */
    if (atoi(ap_get_status_line(status)) == status) r->status_line = NULL;
    else r->status_line = apr_psprintf(r->pool, "%d %.*s", status, (int)reason_length, reason_length ? reason : "");
}

void swsgi_response_begin(request_rec *r, int status, const char *reason, size_t reason_length) {
    r->status = status;
    if (reason_length) r->status_line = apr_psprintf(r->pool, "%d %.*s", status, (int)reason_length, reason);
    else swsgi_error_begin(r, status, NULL, 0);
    /* RFC 9110, 14.2: a range is of what GET gives. */
    if ((r->method_number != M_GET || r->header_only) && !r->main) ap_remove_output_filter_byhandle(r->output_filters, "BYTERANGE");
}

static int belongs_to_server(const char *name) {
    static const char *const names[] = {"Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
                                        "Trailers", "Upgrade", "Status", "Proxy-Authenticate", "Proxy-Authorization"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!ap_cstr_casecmp(name, names[i])) return 1;
    return 0;
}

int swsgi_response_header(request_rec *r, const char *name, size_t name_length, const char *value, size_t value_length) {
    char *key = apr_pstrmemdup(r->pool, name, name_length);
    char *text = value_length ? apr_pstrmemdup(r->pool, value, value_length) : "";
    if (belongs_to_server(key)) return SWSGI_HEADER_SERVERS;
    /* httpd would take it for 1970. */
    if (!ap_cstr_casecmp(key, "Last-Modified") && apr_date_parse_http(text) == APR_DATE_BAD) return SWSGI_HEADER_NO_DATE;
    if (!ap_cstr_casecmp(key, "Content-Type")) ap_set_content_type(r, text);
    else apr_table_addn(r->headers_out, key, text);
    return SWSGI_HEADER_TAKEN;
}

void *swsgi_interim_begin(request_rec *r) {
    apr_table_t *headers = r->headers_out;
    if (r->proto_num < HTTP_VERSION(1, 1) || r->main) return NULL;
    r->headers_out = apr_table_make(r->pool, 4);
    return headers;
}

void swsgi_field_add(request_rec *r, int trailer, const char *name, size_t name_length, const char *value, size_t value_length) {
    char *key = apr_pstrmemdup(r->pool, name, name_length);
    if (belongs_to_server(key) || !ap_cstr_casecmp(key, "Content-Length")) return;
    apr_table_addn(trailer ? r->trailers_out : r->headers_out, key, value_length ? apr_pstrmemdup(r->pool, value, value_length) : "");
}

void swsgi_interim_end(request_rec *r, void *headers, int status) {
    int before = r->status, expecting = r->expecting_100;
    const char *line = r->status_line;
    r->status = status;
    /* Older releases of httpd don't know 103: they would have "500 Internal Server Error" for it. */
    r->status_line = status == 103 ? "103 Early Hints" : "102 Processing";
    ap_send_interim_response(r, 1);
    r->status = before;
    r->status_line = line;
    r->headers_out = headers;
    /* The client may still wait for its "100 Continue". */
    r->expecting_100 = expecting;
}

int swsgi_response_condition(request_rec *r) {
    /* Of a page that includes this one, the conditions are not meant for it. */
    if (r->status != HTTP_OK || r->method_number != M_GET || r->main) return 0;
    if (!apr_table_get(r->headers_out, "ETag") && !apr_table_get(r->headers_out, "Last-Modified")) return 0;
    int status = ap_meets_conditions(r);
    if (status == OK) return 0;
    r->status = status == HTTP_NOT_MODIFIED ? status : HTTP_OK;
    r->status_line = NULL;
    return status;
}

void swsgi_response_length(request_rec *r, int64_t length) { ap_set_content_length(r, length); }

void swsgi_error_header(request_rec *r, const char *name, size_t name_length, const char *value, size_t value_length) {
    /* What httpd itself would send with such a status, and the session's cookies. */
    static const char *const names[] = {"WWW-Authenticate", "Retry-After", "Set-Cookie"};
    char *key = apr_pstrmemdup(r->pool, name, name_length), *text = value_length ? apr_pstrmemdup(r->pool, value, value_length) : "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!ap_cstr_casecmp(key, names[i])) apr_table_addn(r->err_headers_out, key, text);
    /* httpd writes this one by itself, and of its own list. */
    if (ap_cstr_casecmp(key, "Allow")) return;
    r->allowed_methods->method_mask |= AP_METHOD_BIT << M_INVALID; /* without this bit it leaves out names that it does not know */
    for (char *state, *method = apr_strtok(text, ", \t", &state); method; method = apr_strtok(NULL, ", \t", &state))
        ap_method_list_add(r->allowed_methods, method);
}

int swsgi_redirect(request_rec *r, const char *location) {
    /* As CGI's local redirection: the new request has no body, and must not find the rest of this one's. */
    ap_discard_request_body(r);
    /* Ranges are of GET alone: the client's own request was perhaps another. */
    if (r->method_number != M_GET) apr_table_unset(r->headers_in, "Range");
    r->method = "GET";
    r->method_number = M_GET;
    apr_table_unset(r->headers_in, "Content-Length");
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    ap_internal_redirect_handler(location, r);
    return OK;
}

void swsgi_retry_after(request_rec *r, int seconds) {
    apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, seconds));
}

void swsgi_response_add(request_rec *r, apr_bucket_brigade *brigade, const void *bytes, size_t length) {
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_transient_create(bytes, length, r->connection->bucket_alloc));
}

int swsgi_response_pass(request_rec *r, apr_bucket_brigade *brigade, int flags) {
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    if (flags & SWSGI_PASS_ABORT) {
        /* No last chunk is written after this bucket, and HTTP/2 resets the stream: the response does not look complete. */
        r->connection->keepalive = AP_CONN_CLOSE;
        APR_BRIGADE_INSERT_TAIL(brigade, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->connection->pool, alloc));
    }
    if (flags & SWSGI_PASS_FLUSH) APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_flush_create(alloc));
    if (flags & SWSGI_PASS_END) APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    if (APR_BRIGADE_EMPTY(brigade)) return SWSGI_PASSED;
    apr_status_t code = ap_pass_brigade(r->output_filters, brigade);
    apr_brigade_cleanup(brigade);
    if (APR_STATUS_IS_EOF(code)) return SWSGI_FILE_ENDED;
    return code == APR_SUCCESS && !r->connection->aborted ? SWSGI_PASSED : SWSGI_CLIENT_GONE;
}

struct report {
    request_rec *request;
    void *token;
};

static apr_status_t report_death(void *data) {
    struct report *report = data;
    swsgi_death_report(report->request, report->token);
    return APR_SUCCESS;
}

void swsgi_report_later(request_rec *r, void *token) {
    struct report *report = apr_palloc(r->pool, sizeof *report);
    *report = (struct report){r, token};
    apr_pool_pre_cleanup_register(r->pool, report, report_death);
}
