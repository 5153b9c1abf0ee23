// Access, authentication, authorization and dispatch: what httpd asks of scripts.
extension MessageCode {
    /// A script in httpd, where no application may be.
    public static let scriptInHttpd = MessageCode(
        1190,
        .notice,
        "WSGIRestrictEmbedded is On, and a script runs in httpd's children all the same.",
        cause:
            "WSGIAccessScript, WSGIAuthUserScript, WSGIAuthGroupScript and WSGIDispatchScript without process-group= run there, as with mod_wsgi; WSGIRestrictEmbedded is for applications.",
        cure: "Give the directive a process group: a crash of the script, and what it knows, then stay out of httpd."
    )
    /// Access denied.
    public static let accessDenied = MessageCode(
        4130,
        .error,
        "An access script has refused a client (403).",
        cause: "The function allow_access of WSGIAccessScript gave \"no\".",
        cure: "Nothing, when that was meant. The script's own log lines may say why."
    )
    /// Not an answer.
    public static let answerInvalid = MessageCode(
        4131,
        .error,
        "A script's result is not a valid answer to its question: nothing is allowed then (500).",
        cause:
            "The function that the directive calls is an ordinary application, has thrown an error with a response, or was not made with the functions of the SDK for it.",
        cure: "Make it with exportAccess, exportPasswords, exportRealmHashes, exportGroups or exportDispatch."
    )
    /// Not a hash.
    public static let realmHashInvalid = MessageCode(
        4132,
        .error,
        "The hash of a password that a script gave is not valid: the user is not let in (500).",
        cause: "AuthType Digest needs MD5(user:realm:password), written with 32 lower-case hex digits.",
        cure: "Let get_realm_hash give that, as htdigest writes it."
    )
    /// No script.
    public static let questionScriptMissing = MessageCode(
        4133,
        .error,
        "There is no access, authentication, group or dispatch script to ask: nothing is allowed then (500).",
        cause:
            "The path of the directive is wrong, the file has been removed, or httpd is to ask 'wsgi' and no directive names a script.",
        cure: "Add the directive, correct its path, or put the entry file back: the next request finds it."
    )
    /// No destination.
    public static let destinationInvalid = MessageCode(
        4134,
        .error,
        "What a dispatch script chose is no place for a request (500).",
        cause:
            "A group's name that is empty or an expansion other than %{GLOBAL}, or a function's name that C does not allow.",
        cure: "Let dispatch_request give literal names; those that it leaves out stay as configured."
    )

    static let scripts = [
        scriptInHttpd, accessDenied, answerInvalid, realmHashInvalid, questionScriptMissing, destinationInvalid,
    ]
}
