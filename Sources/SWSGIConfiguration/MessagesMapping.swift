// From URLs to entry files and process groups.
extension MessageCode {
    /// Not a regular expression.
    public static let patternInvalid = MessageCode(
        1180,
        .error,
        "The first argument of WSGIScriptAliasMatch is no regular expression.",
        cause: "A parenthesis or bracket that is not closed, or a repetition of nothing, usually.",
        cure: "Write a Perl-compatible regular expression, as for AliasMatch, in quotes if it has spaces."
    )
    /// Not a handler's name.
    public static let handlerNameInvalid = MessageCode(
        1181,
        .error,
        "WSGIHandlerScript names a handler that it can't define.",
        cause: "The name is empty, or that of mod_wsgi's own handler.",
        cure: "Choose a name of your own, and use it with AddHandler, SetHandler or Action."
    )
    /// Not an expansion.
    public static let expansionUnknown = MessageCode(
        1182,
        .error,
        "The name of a group looks like an expansion, and is none.",
        cause: "A spelling mistake, or an expansion with text around it.",
        cure: "Write one of those that the message names, alone, or a literal name."
    )
    /// No variable.
    public static let variableUndefined = MessageCode(
        4120,
        .error,
        "A variable that a group or function is named by is not defined for this request (500).",
        cause:
            "%{ENV:NAME} finds no note of the request, no variable of SetEnv, SetEnvIf or RewriteRule, and none in httpd's environment.",
        cure: "Set the variable for all requests that come here, or name the group literally."
    )
    /// No names.
    public static let allowedGroupsMissing = MessageCode(
        1183,
        .error,
        "WSGIRestrictProcess has no names.",
        cause: "An empty list would refuse every request.",
        cure: "Name the process groups that requests may use, and %{GLOBAL} for embedded mode."
    )
    /// A name that nobody defines.
    public static let allowedGroupUndefined = MessageCode(
        1184,
        .warning,
        "WSGIRestrictProcess allows a process group that does not exist.",
        cause: "A spelling mistake, or the group has been removed. Names are compared with their case.",
        cure: "Correct or remove the name."
    )
    /// A section that says nothing.
    public static let sectionInvalid = MessageCode(
        1185,
        .error,
        "<WSGIInterpreterOptions> has a directive or a process group that it can't have.",
        cause: "The section is for a few directives, and for groups that are known at start.",
        cure: "Write what the message names, or move the directive out of the section."
    )
    /// A section for what has no restrictions.
    public static let sectionWithoutEffect = MessageCode(
        1186,
        .warning,
        "A WSGIRestrict directive in <WSGIInterpreterOptions> has no effect where it stands.",
        cause:
            "It is for an application group, or for httpd's own processes. Standard streams and signal handlers belong to whole processes, and httpd's are httpd's.",
        cure:
            "Name the process group alone, and give applications that need other restrictions a process group of their own."
    )
    /// Not among the allowed ones.
    public static let processGroupRestricted = MessageCode(
        4121,
        .error,
        "WSGIRestrictProcess does not allow the process group of this request (500).",
        cause: "WSGIProcessGroup, or the variable that it names, chooses a group that is not in the list.",
        cure: "Correct the choice, or add the group to WSGIRestrictProcess."
    )
    /// A handler without a script.
    public static let handlerScriptMissing = MessageCode(
        4122,
        .error,
        "The entry file of a WSGIHandlerScript does not exist, or is no file (500).",
        cause: "A wrong path in the directive, or a removed file.",
        cure: "Put the entry file in its place."
    )

    static let mapping: [MessageCode] = [
        patternInvalid, handlerNameInvalid, expansionUnknown, allowedGroupsMissing, allowedGroupUndefined,
        sectionInvalid, sectionWithoutEffect, variableUndefined, processGroupRestricted, handlerScriptMissing,
    ]
}
