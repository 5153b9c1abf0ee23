/* Entry files as directives name them, and what httpd asks of some of them. */
#ifndef SWSGI_SCRIPTS_H
#define SWSGI_SCRIPTS_H

struct request_rec;

/** Which directive a `swsgi_alias` is of: WSGIScriptAlias, WSGIScriptAliasMatch, WSGIHandlerScript, WSGIAccessScript,
    WSGIAuthUserScript, WSGIAuthGroupScript, WSGIDispatchScript. */
enum {
    SWSGI_ALIAS_PATH = 0, SWSGI_ALIAS_MATCH = 1, SWSGI_ALIAS_HANDLER = 2, SWSGI_ALIAS_ACCESS = 3, SWSGI_ALIAS_USER = 4,
    SWSGI_ALIAS_GROUP = 5, SWSGI_ALIAS_DISPATCH = 6
};

/** Its parts, allocated with malloc. */
typedef struct swsgi_alias {
    int kind;
    /** A URL path, a regular expression, or the name of a handler; empty for the others. */
    const char *_Nonnull location;
    const char *_Nonnull target;
    const char *_Nullable process_group;
    const char *_Nullable application_group;
    const char *_Nullable symbol;
    /** -1: not given. */
    int pass_authorization;
    /** Of WSGIScriptAliasMatch: as httpd has compiled it. */
    void *_Nullable pattern;
    /** Where the directive stands. */
    const char *_Nullable file;
    int line;
    /** Whether that is an .htaccess file, whose author is not the server's administrator. */
    int is_override;
} swsgi_alias;

/** What a script is asked: the numbers of `Question`. */
enum {
    SWSGI_QUESTION_OF_ACCESS = 0, SWSGI_QUESTION_OF_PASSWORD = 1, SWSGI_QUESTION_OF_REALM_HASH = 2, SWSGI_QUESTION_OF_GROUPS = 3,
    SWSGI_QUESTION_OF_DESTINATION = 4
};

/** A question about a request: what it is about, as far as the request itself does not say it. Text lives as long as the request. */
typedef struct swsgi_question {
    int kind;
    const swsgi_alias *_Nullable script;
    const char *_Nullable host;
    const char *_Nullable user;
    const char *_Nullable password;
    const char *_Nullable realm;
} swsgi_question;

/** Names that a dispatch script has chosen, literal or %{GLOBAL}; null: as configured. They live as long as the request. */
typedef struct swsgi_destination {
    const char *_Nullable process_group;
    const char *_Nullable application_group;
    const char *_Nullable symbol;
} swsgi_destination;

/** What a script has answered; of one that failed, the log says why. */
enum { SWSGI_ANSWER_FAILED = 0, SWSGI_ANSWER_YES = 1, SWSGI_ANSWER_NO = 2, SWSGI_ANSWER_NONE = 3 };

typedef struct swsgi_answer {
    /** What the client gets, unless the answer is yes or none. */
    int status;
    /** With yes: a user's name, a hash, or the names of groups with a line end behind each. Lives as long as the request. */
    const char *_Nullable text;
} swsgi_answer;

/* ---- Implemented in Swift ---- */

/** Asks a script. Returns one of SWSGI_ANSWER_. */
int swsgi_ask(struct request_rec *_Nonnull request, const swsgi_question *_Nonnull question, swsgi_answer *_Nonnull answer);
/** A provider is to answer, and its directive is missing: says so. */
void swsgi_no_script(struct request_rec *_Nonnull request, const char *_Nonnull directive);
/** Whether the names of an answer have this one. */
int swsgi_lists(const char *_Nonnull names, const char *_Nonnull name);

#endif
