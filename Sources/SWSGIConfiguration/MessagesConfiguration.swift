// 1xxx: mistakes in the configuration, found when it is read.
extension MessageCode {
    /// A directive lacks its name.
    public static let nameMissing = MessageCode(
        1001,
        .error,
        "A process group, application group or symbol has no name.",
        cause: "The directive was written without its first argument, or with an empty one.",
        cure: "Write the name: WSGIDaemonProcess NAME option=value ..."
    )
    /// A name that can't be used.
    public static let nameInvalid = MessageCode(
        1002,
        .error,
        "A process group's name has characters that are not allowed, or is too long.",
        cause: "The name is shown in process lists and log lines.",
        cure: "Use 1 to 64 letters, digits, '.', '_', '-' and ':'."
    )
    /// Two groups of one name.
    public static let groupDuplicate = MessageCode(
        1003,
        .error,
        "Two WSGIDaemonProcess directives define the same process group.",
        cause: "Names are unique in the whole server, also between virtual hosts.",
        cure: "Rename one, or remove it and use the other from both places."
    )
    /// An option that does not exist.
    public static let optionUnknown = MessageCode(
        1004,
        .error,
        "A directive has an option that does not exist.",
        cause: "A spelling mistake, usually.",
        cure: "See the directive's page for its options."
    )
    /// One option twice.
    public static let optionRepeated = MessageCode(
        1005,
        .error,
        "An option is given twice.",
        cause: "It is not clear which one is meant.",
        cure: "Remove one of them."
    )
    /// A number that is not one, or out of range.
    public static let numberInvalid = MessageCode(
        1006,
        .error,
        "An option's value is not a number in the allowed range.",
        cause: "Numbers are read strictly: the whole value must be one.",
        cure: "Write a number in the range that the message names."
    )
    /// An option without a value.
    public static let optionForm = MessageCode(
        1007,
        .error,
        "An option is not of the form name=value.",
        cause: "A space around '=', or a quote that is not closed.",
        cure: "Write name=value, or name=\"value with spaces\"."
    )
    /// A file mode creation mask that is not one.
    public static let umaskInvalid = MessageCode(
        1008,
        .error,
        "umask= is not an octal number from 0000 to 0777.",
        cause: "See the value in the message.",
        cure: "Write three or four octal digits, such as 0027."
    )
    /// A user that does not exist.
    public static let userUnknown = MessageCode(
        1009,
        .error,
        "user= names a user who does not exist.",
        cause: "A spelling mistake, or the user is not created yet.",
        cure: "Create the user, or correct the name; #uid works for users with an entry in the user database."
    )
    /// A group that does not exist.
    public static let groupUnknown = MessageCode(
        1010,
        .error,
        "group= names a group that does not exist.",
        cause: "A spelling mistake, or the group is not created yet.",
        cure: "Create the group, or correct the name."
    )
    /// A directory that can't be one.
    public static let directoryInvalid = MessageCode(
        1011,
        .error,
        "A directory option is not the absolute path of a directory.",
        cause: "The path is relative, does not exist or is not a directory.",
        cure: "Create the directory, or correct the path."
    )
    /// A change of user without the right to.
    public static let identityNeedsRoot = MessageCode(
        1012,
        .error,
        "user= or group= asks for an identity that httpd can't take.",
        cause: "httpd was not started as root, so that its daemon processes run as the same user.",
        cure: "Start httpd as root, or remove user= and group=."
    )
    /// A process group that nobody defines.
    public static let processGroupUndefined = MessageCode(
        1013,
        .error,
        "A process group is used that no WSGIDaemonProcess defines.",
        cause: "A spelling mistake, or the defining virtual host is not enabled.",
        cure: "Define it with WSGIDaemonProcess, or correct the name."
    )
    /// A process group of another virtual host.
    public static let processGroupForeign = MessageCode(
        1014,
        .error,
        "A process group is used that belongs to another virtual host.",
        cause: "A group defined in a virtual host serves that host and those with the same ServerName only.",
        cure: "Define it in the main server to share it, or define one for each virtual host."
    )
    /// Arguments of an alias.
    public static let aliasArguments = MessageCode(
        1015,
        .error,
        "WSGIScriptAlias, WSGIScriptAliasMatch or WSGIHandlerScript lacks an argument, or has a wrong one.",
        cause: "An argument is missing, or the URL path of WSGIScriptAlias does not begin with '/'.",
        cure: "Write both, such as: WSGIScriptAlias /url-path /path/of/the/entry-file.wsgi option=value ..."
    )
    /// Not On and not Off.
    public static let flagInvalid = MessageCode(
        1016,
        .error,
        "A directive's value is neither On nor Off.",
        cause: "See the value in the message.",
        cure: "Write On or Off."
    )
    /// An option of mod_wsgi that does nothing here.
    public static let optionWithoutEffect = MessageCode(
        1017,
        .notice,
        "An option of mod_wsgi is accepted, but has no effect.",
        cause: "It concerns Python or a mechanism that mod_swsgi does not have, or this version does not implement it.",
        cure: "Remove it when the configuration is no longer used with mod_wsgi."
    )
    /// The primary group differs from httpd's.
    public static let primaryGroup = MessageCode(
        1018,
        .notice,
        "user= without group= uses the user's primary group.",
        cause: "mod_wsgi would use httpd's own group here.",
        cure: "Write group= to say which one is meant."
    )
    /// An entry file that won't work.
    public static let entryFileDoubtful = MessageCode(
        1019,
        .warning,
        "The entry file of an alias can't be used as it is now.",
        cause:
            "The message has a second code that says why: the entry file, or its bundle, was looked at as its user sees it.",
        cure: "Do what the second code says; no restart is needed then."
    )
    /// The daemon program is missing.
    public static let programMissing = MessageCode(
        1020,
        .critical,
        "The program for daemon processes is not beside the module.",
        cause: "mod_swsgi.so was copied without swsgid.",
        cure: "Install both into one directory, as scripts/install does."
    )
    /// A display name that can't be used.
    public static let textInvalid = MessageCode(
        1021,
        .error,
        "An option's text is empty, too long or has control characters.",
        cause: "See the value in the message.",
        cure: "Use 1 to 255 printable characters."
    )

    /// A directive of mod_wsgi that does nothing here.
    public static let directiveWithoutEffect = MessageCode(
        1022,
        .notice,
        "A directive of mod_wsgi is accepted, but has no effect.",
        cause: "It concerns Python, or a mechanism that mod_swsgi does not have.",
        cure: "Remove it when the configuration is no longer used with mod_wsgi."
    )

    /// A log that can't be handed on.
    public static let logUnreachable = MessageCode(
        1023,
        .warning,
        "The lines of daemon processes can't go to this virtual host's ErrorLog.",
        cause: "ErrorLog is syslog: httpd writes to that by itself, and no other process can.",
        cure: "Use a file or a piped logger; until then these lines go to httpd's standard error."
    )

    /// Not a network.
    public static let networkInvalid = MessageCode(
        1030,
        .error,
        "WSGITrustedProxies names something that is no IP address and no network.",
        cause: "Names, ports and zones are not allowed; a network has the number of its bits after a slash.",
        cure: "Write 192.0.2.1, 10.0.0.0/8, 2001:db8::1 or 2001:db8::/32."
    )
    /// Not a header of proxies.
    public static let proxyHeaderUnknown = MessageCode(
        1031,
        .error,
        "WSGITrustedProxyHeaders names a header that no proxy uses.",
        cause: "The message lists those that are understood.",
        cure: "Use one of them."
    )
    /// Everybody is trusted.
    public static let proxiesMissing = MessageCode(
        1032,
        .warning,
        "WSGITrustedProxyHeaders is used without WSGITrustedProxies: every client is believed.",
        cause:
            "mod_wsgi has it so, and old configurations rely on it. Anybody can then choose the address that applications see.",
        cure: "Name the proxies with WSGITrustedProxies."
    )
    /// Not a set of statuses.
    public static let overrideInvalid = MessageCode(
        1033,
        .error,
        "WSGIErrorOverride has an argument that it does not know.",
        cause: "It takes On, Off, or one or more statuses.",
        cure: "Write On, Off, or statuses from 400 to 599."
    )

    static let configuration: [MessageCode] = [
        nameMissing, nameInvalid, groupDuplicate, optionUnknown, optionRepeated, numberInvalid, optionForm,
        umaskInvalid,
        userUnknown, groupUnknown, directoryInvalid, identityNeedsRoot, processGroupUndefined, processGroupForeign,
        aliasArguments, flagInvalid, optionWithoutEffect, primaryGroup, entryFileDoubtful, programMissing, textInvalid,
        directiveWithoutEffect,
        logUnreachable,
        networkInvalid, proxyHeaderUnknown, proxiesMissing, overrideInvalid,
        optionsConflict,
    ]
}
