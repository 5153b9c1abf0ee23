/* Shared by the C files of the module; httpd's own headers stay behind this one. */
#ifndef SWSGI_MODULE_PRIVATE_H
#define SWSGI_MODULE_PRIVATE_H

#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_main.h"
#include "http_protocol.h"
#include "http_request.h"
#include "ap_mpm.h"
#include "mpm_common.h"
#include "apr_buckets.h"
#include "apr_lib.h"
#include "apr_strings.h"
#include "unixd.h"
#include "util_script.h"

#include "swsgi_module.h"

extern module AP_MODULE_DECLARE_DATA wsgi_module;

/* The process id of this child, as text. */
extern char server_pid[12];

/* Of a server: its aliases, in their order. */
struct server_config {
    apr_array_header_t *aliases;
    /* WSGIRememberWalk; -1: not set. */
    int remember_walk;
    /* In a child: for each alias, what is known of the walk to its target. */
    struct remembered_walk **walks;
};

/* Of a directory: null or -1 is "not set". */
struct directory_config {
    const char *process_group, *application_group, *symbol;
    int reloading, pass_authorization, chunked_request, map_head, local_redirect, error_override, ignore_activity;
    const unsigned char *error_statuses;
    apr_array_header_t *proxies, *proxy_headers, *handlers, *allowed_groups;
    int sendfile;
    /* Of WSGIAccessScript and those after it, by their kind. */
    const swsgi_alias *scripts[4];
    /* Of this section alone: what its lines of access control say. */
    int access;
};

static inline struct directory_config *directory_config_of(request_rec *r) {
    return ap_get_module_config(r->per_dir_config, &wsgi_module);
}

/* The alias that mapped a request, or null. */
static inline const swsgi_alias *alias_of(request_rec *r) {
    return ap_get_module_config(r->request_config, &wsgi_module);
}

/* WSGIRememberWalk. */
const char *walk_directive(cmd_parms *cmd, void *unused, const char *value);
/* Makes room for remembered walks. */
void walk_child_init(apr_pool_t *p, server_rec *main_server);
/* A hook: leads a request to its alias's entry file without a walk, where that is the same. */
int walk_map_to_storage(request_rec *r);
/* The next <Directory> section that httpd merges at this level of its walk, or null; `next` counts those that it has passed. */
ap_conf_vector_t *section_at(apr_array_header_t *sections, const char *place, unsigned level, int *next);

/* Require, AuthMerging and Satisfy, of which httpd runs every module's. */
const char *require_directive(cmd_parms *cmd, void *mconfig, const char *arguments);
/* The section that refuses all requests of an alias, or null when none does, or when that shows with the request. */
const char *denier_of(apr_pool_t *p, server_rec *s, const swsgi_alias *alias);

/* LoadModule, of which httpd runs every module's: mod_so skips a second module of a name, with a warning that is easily missed. */
const char *other_module(cmd_parms *cmd, void *unused, const char *name, const char *path);
/* A hook: apachectl -t -D DUMP_WSGI. */
void dump_configuration(apr_pool_t *p, server_rec *s);

/* Replaces %{GLOBAL}, %{RESOURCE}, %{SERVER}, %{HOST} and %{ENV:name}; sets `undefined` to a variable that is not there. */
const char *expand_group(request_rec *r, const char *name, const char **undefined);

/* `file_kind` of a request's facts. */
int kind_of(const apr_finfo_t *file);

extern const char *const handler_name;

/* Where a directive stands. */
swsgi_place place_of(cmd_parms *cmd);

/* WSGIScriptAlias and WSGIScriptAliasMatch, and the hook that finds the alias of a request. */
const char *script_alias(cmd_parms *cmd, void *unused, const char *arguments);
int translate_name(request_rec *r);
/* Whether the target is the entry file, or a directory of them, whatever the request. */
int is_fixed(const swsgi_alias *alias);

/* WSGIHandlerScript, and the script for the handler of a request. */
const char *handler_script(cmd_parms *cmd, void *mconfig, const char *arguments);
int find_handler_script(request_rec *r);

/* Copies what Swift has made of a directive into the configuration's pool. */
swsgi_alias adopt(apr_pool_t *p, swsgi_alias alias);

/* WSGIAccessScript, WSGIAuthUserScript, WSGIAuthGroupScript and WSGIDispatchScript; their hook, and their providers. */
const char *asked_script(cmd_parms *cmd, void *mconfig, const char *arguments);
void register_scripts(apr_pool_t *p);

/* <WSGIInterpreterOptions>, and whether a directive stands in one. */
const char *interpreter_options(cmd_parms *cmd, void *mconfig, const char *arguments);
int is_in_section(cmd_parms *cmd);

/* WSGIRestrictProcess. */
const char *restrict_process(cmd_parms *cmd, void *mconfig, const char *arguments);

/* Begins the child's life in Swift, which ends with its pool. */
void embedded_child_init(apr_pool_t *p);

/* The part of the URI that leads to the entry file: SCRIPT_NAME. */
const char *script_name(request_rec *r);

#endif
