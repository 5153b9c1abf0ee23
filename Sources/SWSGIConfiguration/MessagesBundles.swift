// 2xxx: entry files and bundles that can't be loaded.
extension MessageCode {
    /// No such file.
    public static let fileMissing = MessageCode(
        2001,
        .error,
        "The entry file or bundle does not exist.",
        cause: "A wrong path, or a deployment that is not complete.",
        cure: "Put the file in its place; a relative path in an entry file starts at the entry file's own directory."
    )
    /// No permission.
    public static let fileUnreadable = MessageCode(
        2002,
        .error,
        "The daemon process's user can't read the entry file or bundle.",
        cause: "The permissions of the file, or of a directory above it, exclude the user that the message names.",
        cure: "Give that user read permission, and search permission (x) on every directory above."
    )
    /// A directory.
    public static let fileIsDirectory = MessageCode(
        2003,
        .error,
        "The entry file or bundle is a directory.",
        cause: "A path that is too short.",
        cure: "Name the file in it."
    )
    /// A pipe, socket or device.
    public static let fileNotRegular = MessageCode(
        2004,
        .error,
        "The entry file or bundle is not a regular file.",
        cause: "A pipe, socket or device stands there.",
        cure: "Put a regular file there."
    )
    /// Empty.
    public static let fileEmpty = MessageCode(
        2010,
        .error,
        "The entry file or bundle is empty.",
        cause: "A copy that failed, or has not finished.",
        cure: "Copy it again."
    )
    /// Neither ELF nor what else it should be.
    public static let notELF = MessageCode(
        2011,
        .error,
        "The bundle is not an ELF shared object.",
        cause: "The bundle key names some other file.",
        cure: "Name the .so that 'swift build' makes for the dynamic library product."
    )
    /// Wrong class.
    public static let wrongClass = MessageCode(
        2012,
        .error,
        "The bundle is for machines of another word size.",
        cause: "It was built for another kind of machine.",
        cure: "Build it on this kind of machine."
    )
    /// Wrong machine.
    public static let wrongMachine = MessageCode(
        2013,
        .error,
        "The bundle is for another processor.",
        cause: "It was built for another kind of machine.",
        cure: "Build it on this kind of machine."
    )
    /// An executable.
    public static let notLibrary = MessageCode(
        2014,
        .error,
        "The bundle is a program, not a shared object.",
        cause: "The executable was deployed.",
        cure: "Add a product .library(type: .dynamic) to the package, and deploy that."
    )
    /// Not all of it is there.
    public static let truncated = MessageCode(
        2015,
        .error,
        "The bundle is cut short.",
        cause: "A copy that failed, or has not finished.",
        cure: "Copy it again."
    )
    /// No symbol.
    public static let symbolMissing = MessageCode(
        2020,
        .error,
        "The bundle does not export the application's function.",
        cause: "The function is missing, is not marked @c and public, or has another name.",
        cure:
            "Write '@c public func application() -> ExportedApplication', or name your function with the key 'symbol'."
    )
    /// A table that is not one.
    public static let tableInvalid = MessageCode(
        2021,
        .error,
        "The function did not return an application's table.",
        cause: "The symbol is not a function of the bundle ABI, or the table is too small.",
        cure: "Build the bundle with the SDK, or follow the page 'The bundle ABI'."
    )
    /// Another ABI.
    public static let versionUnknown = MessageCode(
        2022,
        .error,
        "The bundle was built for another version of the bundle ABI.",
        cause: "Its SDK is newer than this server.",
        cure: "Install the mod_swsgi that the SDK belongs to, or build with the SDK of this one."
    )
    /// NULL.
    public static let refused = MessageCode(
        2023,
        .error,
        "The application refused to start.",
        cause: "Its function returned nothing.",
        cure: "See its own log lines before this one."
    )
    /// Data.
    public static let symbolNoFunction = MessageCode(
        2024,
        .error,
        "What the bundle exports under the name of its function is a variable.",
        cause: "A 'let' or 'var', or a table, has the name that the server calls.",
        cure: "Export a function of that name, or name your function with the key 'symbol'."
    )
    /// Undefined symbol.
    public static let symbolUndefined = MessageCode(
        2030,
        .error,
        "The bundle uses a symbol that no library defines.",
        cause: "It was linked without a library that it needs, or with another version of it.",
        cure: "Link the library; 'ldd -r BUNDLE' shows what is missing."
    )
    /// Library missing.
    public static let libraryMissing = MessageCode(
        2031,
        .error,
        "A library that the bundle needs was not found.",
        cause:
            "It is not beside the bundle, not in the entry file's library-path, not installed, and not in the directories that the message names. For libswiftCore.so and the like: the toolchain that built the bundle is not on this machine, or not in the same place.",
        cure:
            "Deploy it beside the bundle, or name its directory with the key 'library-path'; install the Swift toolchain in the same place, or build with -static-stdlib."
    )
    /// Library unreadable.
    public static let libraryHidden = MessageCode(
        2036,
        .error,
        "A library that the bundle needs is there, and the process's user can't read it.",
        cause:
            "Permissions of the library, or of a directory above it: often a Swift toolchain in a user's home directory.",
        cure:
            "Give that user read permission (r) on the library and search permission (x) on every directory above it; or put the toolchain where everybody can read it, or build with -static-stdlib."
    )
    /// dlopen said no.
    public static let loadFailed = MessageCode(
        2032,
        .error,
        "The system's loader refused the bundle.",
        cause: "See its reason in the message.",
        cure: "Build and deploy it again."
    )
    /// Died while loading.
    public static let diedLoading = MessageCode(
        2033,
        .error,
        "A process ended by a signal while it loaded an application.",
        cause: "An initialiser of the bundle, or its application function, crashed.",
        cure: "See the backtrace before this line. It is tried again when the entry file changes."
    )
    /// exit while loading.
    public static let exitedLoading = MessageCode(
        2034,
        .error,
        "An application ended its process while it was loaded.",
        cause: "An initialiser, or the application function, called exit(): perhaps it starts a server of its own.",
        cure: "Remove that call: the server runs the application. It is tried again when the entry file changes."
    )
    /// Loading takes too long.
    public static let loadTimeout = MessageCode(
        2035,
        .error,
        "Loading an application took longer than startup-timeout.",
        cause:
            "An initialiser, or the application function, waits for something or never returns: perhaps it runs a server of its own.",
        cure: "Remove the wait, or raise startup-timeout=. It is tried again when the entry file changes."
    )
    /// An entry file's line.
    public static let entrySyntax = MessageCode(
        2040,
        .error,
        "A line of an entry file is not 'key = value'.",
        cause: "See the line in the message.",
        cure: "Write one 'key = value' on each line; comments begin with '#'."
    )
    /// Unknown key.
    public static let entryKeyUnknown = MessageCode(
        2041,
        .error,
        "An entry file has a key that does not exist.",
        cause: "A spelling mistake, usually.",
        cure: "Use one of the keys bundle, symbol, directory, library-path and environment.NAME."
    )
    /// Repeated key.
    public static let entryKeyRepeated = MessageCode(
        2042,
        .error,
        "A key stands twice in an entry file.",
        cause: "It is not clear which one is meant.",
        cure: "Remove one of them."
    )
    /// Bad value.
    public static let entryValue = MessageCode(
        2043,
        .error,
        "A key of an entry file has a value that it can't have.",
        cause: "See the value in the message.",
        cure: "See the page 'Entry files'."
    )
    /// No bundle.
    public static let entryBundleMissing = MessageCode(
        2044,
        .error,
        "An entry file does not name a bundle.",
        cause: "The key 'bundle' is required.",
        cure: "Add a line 'bundle = NAME.so'."
    )
    /// Not text.
    public static let entryNotText = MessageCode(
        2045,
        .error,
        "An entry file is neither an ELF shared object nor UTF-8 text of at most 64 KiB.",
        cause: "Some other file stands there.",
        cure: "Name a bundle, or a text file that names one."
    )
    /// A directory that can't be entered.
    public static let entryDirectory = MessageCode(
        2046,
        .error,
        "The directory that an entry file names can't be entered.",
        cause: "It does not exist, or its permissions exclude the user.",
        cure: "Create it, or correct its permissions."
    )
    /// Resources that would not be found.
    public static let resourcesMissing = MessageCode(
        2047,
        .warning,
        "A bundle has resources of a Swift package, and its Bundle.module would not find them.",
        cause:
            "The code that SwiftPM makes for Bundle.module looks beside the program that runs (swsgid, or httpd in embedded mode) and in the build directory, and ends the process when there is nothing.",
        cure:
            "Read them by Bundle(path:) from a directory beside the entry file, which ServerFacts.entryDirectory names, or link the .resources directory to the first place of the message."
    )
    /// No snapshot.
    public static let snapshotFailed = MessageCode(
        2050,
        .error,
        "The private copy of a bundle could not be made.",
        cause: "No space, or a bundle that kept changing while it was copied.",
        cure: "Make space in the snapshot directory; deploy with 'mv' or 'install' instead of writing into the file."
    )

    static let bundles: [MessageCode] = [
        fileMissing, fileUnreadable, fileIsDirectory, fileNotRegular, fileEmpty, notELF, wrongClass, wrongMachine,
        notLibrary,
        truncated, symbolMissing, symbolNoFunction, tableInvalid, versionUnknown, refused, symbolUndefined,
        libraryMissing,
        libraryHidden, loadFailed,
        diedLoading, exitedLoading, loadTimeout, entrySyntax, entryKeyUnknown, entryKeyRepeated, entryValue,
        entryBundleMissing, entryNotText, entryDirectory, resourcesMissing, snapshotFailed,
    ]
}
