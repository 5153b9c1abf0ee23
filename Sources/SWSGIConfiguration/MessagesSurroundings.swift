// 112x, 306x and 601x: what daemon processes are, see and may load, set by options of WSGIDaemonProcess.
extension MessageCode {
    /// Not a list of groups.
    public static let groupListInvalid = MessageCode(
        1120,
        .error,
        "supplementary-groups= is not a list of groups.",
        cause: "A name is empty, or there are more than 64.",
        cure: "Write names or #gid with commas between, and no spaces, such as supplementary-groups=mail,#1000."
    )
    /// Not a locale.
    public static let localeInvalid = MessageCode(
        1121,
        .error,
        "lang= or locale= can't be the name of a locale.",
        cause: "Names have letters, digits, '.', '_', '-' and '@' only.",
        cure: "Write one that 'locale -a' prints."
    )
    /// A locale that does not exist.
    public static let localeMissing = MessageCode(
        3060,
        .warning,
        "The locale of a process group does not exist on this machine; its processes run with the locale C.",
        cause: "locale= names one that is not installed, or is misspelt.",
        cure: "Install it, or write one that 'locale -a' prints. A process group with chroot= takes it from outside."
    )

    /// A file of variables that can't be used.
    public static let environmentFile = MessageCode(
        3061,
        .error,
        "The file of environment-file= can't be used, and no process of the group is started.",
        cause: "The message names the file, the line and the reason. Its values are not shown.",
        cure:
            "Write NAME=value lines, and a value of several lines in quotes, in a file of root's in a directory of root's, or in one of the group's user; symbolic links are not followed. The next start reads it again."
    )
    /// The same, found early.
    public static let environmentFileDoubtful = MessageCode(
        1122,
        .warning,
        "The file of environment-file= can't be used as it is now.",
        cause: "See the message: it is what a start of a process will fail with.",
        cure: "Mend it; no restart of httpd is needed then."
    )
    /// A variable that is not for applications.
    public static let variableRefused = MessageCode(
        6010,
        .error,
        "A variable is refused that the loader, the C library or the Swift runtime would obey.",
        cause: "environment-file= or an entry file sets LD_*, GLIBC_*, MALLOC_*, SWIFT_* or one of their kind.",
        cure: "Remove it. Libraries beside a bundle are found by library-path of its entry file."
    )

    /// An alias to an entry file that the processes can't see.
    public static let entryFileOutside = MessageCode(
        1123,
        .warning,
        "The entry file of an alias is outside the chroot= of its process group.",
        cause: "The processes of the group see nothing outside that directory; requests for it are answered 500.",
        cure: "Put the application into the directory, and write its whole path as seen from outside."
    )
    /// The same, at a request.
    public static let outsideRoot = MessageCode(
        6011,
        .error,
        "A request is for an entry file outside the chroot= of its process group (500).",
        cause: "The processes of the group see nothing outside that directory.",
        cure: "Put the application into the directory, or choose another process group for it."
    )
    /// A root directory that somebody could exchange.
    public static let rootUntrusted = MessageCode(
        6012,
        .error,
        "The directory of chroot= could be exchanged by somebody else than root.",
        cause:
            "It, or a directory above it, does not belong to root, may be written to by others, or is a symbolic link: who can exchange it can make the whole file system visible.",
        cure: "Let all of them belong to root with mode 0755. What is inside may belong to the application."
    )

    /// Two owners.
    public static let scriptOwnerTwice = MessageCode(
        1124,
        .error,
        "script-user= and script-group= are both given.",
        cause: "A file has to belong to the one or to the other.",
        cure: "Remove one of them."
    )
    /// One user for several groups.
    public static let userShared = MessageCode(
        1125,
        .notice,
        "Several process groups run as the same user.",
        cause: "Their processes can send each other signals, and read each other's files and environment-file=.",
        cure: "Nothing when they trust each other; otherwise give each a user of its own."
    )
    /// script-user.
    public static let ownerForeign = MessageCode(
        6013,
        .error,
        "An application is not loaded, as a file or directory of it does not belong to script-user (403).",
        cause: "Somebody else has put it there, or has deployed as another user.",
        cure: "Give it to that user with chown, if its content is trusted, or change script-user=."
    )
    /// script-group.
    public static let groupForeign = MessageCode(
        6014,
        .error,
        "An application is not loaded, as a file or directory of it does not belong to script-group (403).",
        cause: "Somebody else has put it there, or has deployed with another group.",
        cure: "Give it to that group with chgrp, if its content is trusted, or change script-group=."
    )
    /// Writable by a group.
    public static let groupMayWrite = MessageCode(
        6015,
        .error,
        "An application is not loaded, as the group of a file or directory of it may write to that (403).",
        cause: "With script-user= nobody but that user may be able to change the code.",
        cure: "Take the right away with chmod g-w."
    )
    /// Writable by everybody.
    public static let everybodyMayWrite = MessageCode(
        6016,
        .error,
        "An application is not loaded, as everybody may write to a file or directory of it (403).",
        cause:
            "The process group has a user of its own: what any user of the machine can put there would run with that user's rights.",
        cure:
            "Take the right away with chmod o-w, for the files, the directories that they are in, and those above: namei -l PATH shows them."
    )

    /// Whether the message says that something must not be loaded, rather than that it can't be.
    public var forbids: Bool {
        [.ownerForeign, .groupForeign, .groupMayWrite, .everybodyMayWrite].contains(self)
    }

    static let surroundings: [MessageCode] = [
        groupListInvalid, localeInvalid, environmentFileDoubtful, entryFileOutside, scriptOwnerTwice, userShared,
        localeMissing, environmentFile,
        variableRefused, outsideRoot, rootUntrusted, ownerForeign, groupForeign, groupMayWrite, everybodyMayWrite,
    ]
}
