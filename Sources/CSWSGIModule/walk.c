/* The directory walk to an alias's entry file, done once for each child and remembered where its result can't change.

   httpd walks the path of the entry file, merges <Directory> and <Files> sections and looks for symbolic links and .htaccess files, for
   each request. For a literal target the merged sections are a constant of the configuration, unless a section
   on the way allows overrides or restricts links. Then one stat is left. Here and not in Swift: core_dir_config and request_rec. */
#include "module_private.h"

#include "apr_fnmatch.h"
#include "apr_thread_mutex.h"

APLOG_USE_MODULE(wsgi);

/* What a walk has found, for requests of one server; `result` is null when it can't be remembered. */
struct remembered_walk {
    server_rec *server;
    const char *filename;
    ap_conf_vector_t *result;
    struct remembered_walk *next;
};

/* For the life of the child; used with the lock held. */
static apr_pool_t *walk_pool;
static apr_thread_mutex_t *walk_lock;

void walk_child_init(apr_pool_t *p, server_rec *main_server) {
    if (apr_pool_create(&walk_pool, p) != APR_SUCCESS) return;
    if (apr_thread_mutex_create(&walk_lock, APR_THREAD_MUTEX_DEFAULT, p) != APR_SUCCESS) return;
    for (server_rec *s = main_server; s; s = s->next) {
        struct server_config *config = ap_get_module_config(s->module_config, &wsgi_module);
        /* Hosts without directives of their own share the main server's. */
        if (!config->walks && config->aliases->nelts)
            config->walks = apr_pcalloc(p, (apr_size_t)config->aliases->nelts * sizeof *config->walks);
    }
}

const char *walk_directive(cmd_parms *cmd, void *unused, const char *value) {
    char error[1024];
    struct server_config *config = ap_get_module_config(cmd->server->module_config, &wsgi_module);
    int flag = swsgi_flag(cmd->cmd->name, value, error, sizeof error);
    (void)unused;
    if (flag < 0) return apr_pstrdup(cmd->pool, error);
    config->remember_walk = flag;
    return NULL;
}

/* The part of the merged configuration that the walk itself looks at, merged as httpd does it on its way. */
struct walk_options {
    allow_options_t opts, add, remove;
    overrides_t override;
    apr_table_t *override_list;
};

static void merge_options(struct walk_options *now, const core_dir_config *section) {
    if (section->opts & OPT_UNSET) {
        now->add = (now->add & ~section->opts_remove) | section->opts_add;
        now->remove = (now->remove & ~section->opts_add) | section->opts_remove;
        now->opts = (now->opts & ~now->remove) | now->add;
    } else {
        now->opts = section->opts, now->add = section->opts_add, now->remove = section->opts_remove;
    }
    if (!(section->override & OR_UNSET)) now->override = section->override;
    if (section->override_list) now->override_list = section->override_list;
}

ap_conf_vector_t *section_at(apr_array_header_t *sections, const char *place, unsigned level, int *next) {
    while (*next < sections->nelts) {
        ap_conf_vector_t *found = APR_ARRAY_IDX(sections, *next, ap_conf_vector_t *);
        core_dir_config *section = ap_get_core_module_config(found);
        if (section->r || section->d_components > level) break;
        ++*next;
        if (!section->d_components
            || (section->d_components == level
                && !(section->d_is_fnmatch ? apr_fnmatch(section->d, place, APR_FNM_PATHNAME) : strcmp(place, section->d))))
            return found;
    }
    return NULL;
}

/* Why the walk to a file may come to another end for another request, or null when it can't. */
static const char *obstacle(apr_pool_t *p, server_rec *s, const char *file) {
    core_server_config *core = ap_get_core_module_config(s->module_config);
    core_dir_config *base = ap_get_core_module_config(s->lookup_defaults);
    struct walk_options now = {base->opts, base->opts_add, base->opts_remove, base->override, base->override_list};
    ap_conf_vector_t *section;
    const char *path = apr_pstrcat(p, file, "/", NULL);
    unsigned level = 0;
    int next = 0;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *place = apr_pstrmemdup(p, path, (apr_size_t)(slash - path) + 1);
        for (level++; (section = section_at(core->sec_dir, place, level, &next));) {
            /* httpd applies a <Directory> of a file's name to requests without path info only. */
            if (!slash[1]) return "a <Directory> section has its name";
            merge_options(&now, ap_get_core_module_config(section));
        }
        if (now.override || now.override_list) return "AllowOverride may add .htaccess files";
        if ((now.opts & (OPT_SYM_LINKS | OPT_SYM_OWNER)) != OPT_SYM_LINKS) return "Options without FollowSymLinks looks at links";
    }
    return NULL;
}

static int is_regular(request_rec *r, const char *file) {
    if (apr_stat(&r->finfo, file, APR_FINFO_MIN, r->pool) == APR_SUCCESS && r->finfo.filetype == APR_REG) return 1;
    r->finfo.filetype = APR_NOFILE;
    return 0;
}

/* Walks for this request, and remembers what comes of it. */
static int walk(request_rec *r, const swsgi_alias *alias, const char *rest, struct remembered_walk **list) {
    apr_pool_t *own = r->pool;
    struct remembered_walk *walk;
    const char *why;
    int status;
    if (!is_regular(r, alias->target)) return DECLINED;
    r->finfo.filetype = APR_NOFILE;
    why = obstacle(r->pool, r->server, alias->target);
    walk = apr_pcalloc(walk_pool, sizeof *walk);
    walk->server = r->server;
    walk->next = *list;
    /* What is merged has to last. */
    r->pool = why ? own : walk_pool;
    status = ap_directory_walk(r);
    if (status == OK) status = ap_file_walk(r);
    r->pool = own;
    if (!why && (status != OK || r->finfo.filetype != APR_REG)) why = "it did not lead to a file";
    if (!why && (strcmp(r->filename, alias->target) || strcmp(r->path_info ? r->path_info : "", rest)))
        why = "its path is not the shortest one";
    if (!why) walk->filename = alias->target, walk->result = r->per_dir_config;
    __atomic_store_n(list, walk, __ATOMIC_RELEASE);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "the directory walk to %s is %s%s", alias->target,
                  why ? "done for each request: " : "remembered", why ? why : "");
    return status;
}

/* Whether httpd's walk would shorten this path info. */
static int is_crooked(const char *rest) { return strstr(rest, "//") || strstr(rest, "/."); }

int walk_map_to_storage(request_rec *r) {
    struct server_config *config = ap_get_module_config(r->server->module_config, &wsgi_module);
    const swsgi_alias *alias = alias_of(r);
    struct remembered_walk **list, *found;
    const char *rest;
    size_t length;
    int status = DECLINED;
    /* Requests within requests share what they have walked with the first one. */
    if (!alias || r->main || r->prev || !config->walks || !walk_lock || config->remember_walk == 0) return DECLINED;
    if (r->per_dir_config != r->server->lookup_defaults || !r->filename) return DECLINED;
    length = strlen(alias->target);
    if (strncmp(r->filename, alias->target, length)) return DECLINED;
    rest = r->filename + length;
    if ((*rest && *rest != '/') || is_crooked(rest)) return DECLINED;
    list = &config->walks[alias - (swsgi_alias *)config->aliases->elts];
    found = __atomic_load_n(list, __ATOMIC_ACQUIRE);
    while (found && found->server != r->server) found = found->next;
    if (!found) {
        if (apr_thread_mutex_lock(walk_lock) != APR_SUCCESS) return DECLINED;
        for (found = *list; found && found->server != r->server;) found = found->next;
        if (!found) status = walk(r, alias, rest, list);
        apr_thread_mutex_unlock(walk_lock);
        if (!found) return status;
    }
    if (!found->result || !is_regular(r, found->filename)) return DECLINED;
    r->filename = apr_pstrmemdup(r->pool, found->filename, length);
    r->canonical_filename = r->filename;
    r->path_info = (char *)rest;
    r->per_dir_config = found->result;
    return OK;
}
