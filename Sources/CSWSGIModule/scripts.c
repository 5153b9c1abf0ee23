/* What httpd asks of scripts: access, authentication and groups, by httpd's hooks and providers; and the fields of its requests. */
#include "module_private.h"

#include "ap_expr.h"
#include "ap_provider.h"
#include "http_request.h"
#include "mod_auth.h"

#include "swsgi.h"

static const char *const provider_name = "wsgi";
static const char *const group_provider_name = "wsgi-group";

const char *asked_script(cmd_parms *cmd, void *mconfig, const char *arguments) {
    char error[1024];
    const int kind = (int)(intptr_t)cmd->info;
    swsgi_place place = place_of(cmd);
    swsgi_alias *script = apr_palloc(cmd->pool, sizeof *script);
    if (!swsgi_define_alias(kind, arguments, script, error, sizeof error)) return apr_pstrdup(cmd->pool, error);
    *script = adopt(cmd->pool, *script), script->is_override = ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != NULL;
    swsgi_note_script(script, &place);
    ((struct directory_config *)mconfig)->scripts[kind - SWSGI_ALIAS_ACCESS] = script;
    return NULL;
}

static const swsgi_alias *script_of(request_rec *r, int kind) {
    return directory_config_of(r)->scripts[kind - SWSGI_ALIAS_ACCESS];
}

/* ---- What Swift needs to ask ---- */

swsgi_request_facts swsgi_question_facts_get(request_rec *r, const swsgi_question *question, const char *symbol) {
    const swsgi_alias *script = question->script;
    const char *undefined = NULL;
    apr_finfo_t file = {0};
    swsgi_request_facts facts = swsgi_request_facts_get(r, NULL);
    apr_stat(&file, script->target, APR_FINFO_NORM, r->pool); /* zeros say that nothing is there */
    facts.question = question;
    facts.file_name = script->target, facts.symbol = symbol;
    facts.process_group = script->process_group ? expand_group(r, script->process_group, &undefined) : "";
    facts.application_group = expand_group(r, script->application_group, &undefined);
    facts.undefined = undefined;
    /* Where the administrator gives it no process group it runs in httpd whatever requests may do, as in mod_wsgi. */
    if (!script->process_group && !script->is_override) facts.allowed_groups = NULL;
    facts.file_kind = kind_of(&file);
    facts.device = (uint64_t)file.device, facts.inode = (uint64_t)file.inode, facts.size = file.size, facts.modified = file.mtime;
    facts.changed = file.ctime;
    facts.has_body = 0, facts.header_only = 0, facts.local_redirect = 0, facts.error_override = SWSGI_OVERRIDE_NONE;
    return facts;
}

const swsgi_field *swsgi_question_environ(request_rec *r, const swsgi_question *question, const char *symbol, int *count) {
    apr_table_t *own = r->subprocess_env, *environ = apr_table_copy(r->pool, own);
    /* Passwords must not come into the table that CGI programs and other modules see. */
    r->subprocess_env = environ;
    swsgi_environ(r, count);
    r->subprocess_env = own;
    apr_table_setn(environ, SWSGI_QUESTION, symbol);
    if (question->host) apr_table_setn(environ, SWSGI_QUESTION_HOST, question->host);
    if (question->user) apr_table_setn(environ, SWSGI_QUESTION_USER, question->user);
    if (question->password) apr_table_setn(environ, SWSGI_QUESTION_PASSWORD, question->password);
    if (question->realm) apr_table_setn(environ, SWSGI_QUESTION_REALM, question->realm);
    const apr_array_header_t *entries = apr_table_elts(environ);
    *count = entries->nelts;
    return (const swsgi_field *)entries->elts;
}

/* ---- WSGIAccessScript ---- */

static int check_access(request_rec *r) {
    swsgi_answer answer;
    const swsgi_alias *script = script_of(r, SWSGI_ALIAS_ACCESS);
    if (!script) return DECLINED;
    const swsgi_question question = {
        .kind = SWSGI_QUESTION_OF_ACCESS, .script = script, .host = ap_get_useragent_host(r, REMOTE_NAME, NULL)};
    switch (swsgi_ask(r, &question, &answer)) {
    case SWSGI_ANSWER_YES: return OK;
    case SWSGI_ANSWER_NONE: return DECLINED;
    default: return answer.status;
    }
}

/* ---- WSGIAuthUserScript: AuthBasicProvider and AuthDigestProvider ---- */

static authn_status ask_of_user(request_rec *r, swsgi_question question, swsgi_answer *answer) {
    question.script = script_of(r, SWSGI_ALIAS_USER);
    if (!question.script) return swsgi_no_script(r, "WSGIAuthUserScript"), AUTH_GENERAL_ERROR;
    switch (swsgi_ask(r, &question, answer)) {
    case SWSGI_ANSWER_YES: return AUTH_GRANTED;
    case SWSGI_ANSWER_NO: return AUTH_DENIED;
    case SWSGI_ANSWER_NONE: return AUTH_USER_NOT_FOUND;
    default: return AUTH_GENERAL_ERROR;
    }
}

static authn_status check_password(request_rec *r, const char *user, const char *password) {
    swsgi_answer answer;
    const swsgi_question question = {.kind = SWSGI_QUESTION_OF_PASSWORD, .user = user, .password = password};
    authn_status status = ask_of_user(r, question, &answer);
    if (status == AUTH_GRANTED && answer.text) r->user = (char *)answer.text;
    return status;
}

static authn_status get_realm_hash(request_rec *r, const char *user, const char *realm, char **hash) {
    swsgi_answer answer;
    const swsgi_question question = {.kind = SWSGI_QUESTION_OF_REALM_HASH, .user = user, .realm = realm};
    authn_status status = ask_of_user(r, question, &answer);
    if (status != AUTH_GRANTED) return status;
    *hash = (char *)answer.text;
    return AUTH_USER_FOUND;
}

/* ---- WSGIAuthGroupScript: Require wsgi-group ---- */

static const char *parse_groups(cmd_parms *cmd, const char *text, const void **parsed) {
    const char *failure = NULL;
    if (!*text) return "Require wsgi-group needs the names of groups";
    *parsed = ap_expr_parse_cmd(cmd, text, AP_EXPR_FLAG_STRING_RESULT, &failure, NULL);
    return failure ? apr_pstrcat(cmd->pool, "Require wsgi-group: ", failure, NULL) : NULL;
}

/* Several lines of Require ask once: the answer is kept in the pool, which httpd's internal redirections share, by directive and user. */
static const char *groups_of(request_rec *r, const swsgi_alias *script) {
    swsgi_answer answer;
    const swsgi_question question = {.kind = SWSGI_QUESTION_OF_GROUPS, .script = script, .user = r->user};
    const char *key = apr_psprintf(r->pool, "swsgi-groups %pp %s", (const void *)script, r->user);
    void *known = NULL;
    apr_pool_userdata_get(&known, key, r->pool);
    if (known) return known;
    if (swsgi_ask(r, &question, &answer) != SWSGI_ANSWER_YES) return NULL;
    apr_pool_userdata_setn(answer.text, key, NULL, r->pool);
    return answer.text;
}

static authz_status check_groups(request_rec *r, const char *text, const void *parsed) {
    const swsgi_alias *script = script_of(r, SWSGI_ALIAS_GROUP);
    const char *failure = NULL, *groups, *name;
    if (!r->user) return AUTHZ_DENIED_NO_USER;
    if (!script) return swsgi_no_script(r, "WSGIAuthGroupScript"), AUTHZ_GENERAL_ERROR;
    const char *wanted = ap_expr_str_exec(r, parsed, &failure);
    (void)text;
    if (failure || !(groups = groups_of(r, script))) return AUTHZ_GENERAL_ERROR;
    while (*(name = ap_getword_conf(r->pool, &wanted)))
        if (swsgi_lists(groups, name)) return AUTHZ_GRANTED;
    return AUTHZ_DENIED;
}

/* ---- Registration ---- */

static const authn_provider user_provider = {check_password, get_realm_hash};
static const authz_provider group_provider = {check_groups, parse_groups};

void register_scripts(apr_pool_t *p) {
    static const char *const before[] = {"mod_ssl.c", NULL}, *const after[] = {"mod_access_compat.c", NULL};
    ap_hook_check_access(check_access, before, after, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHN_PROVIDER_GROUP, provider_name, AUTHN_PROVIDER_VERSION, &user_provider, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, group_provider_name, AUTHZ_PROVIDER_VERSION, &group_provider, AP_AUTH_INTERNAL_PER_CONF);
}
