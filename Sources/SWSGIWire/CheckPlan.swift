// What httpd's parent hands to the program that looks at applications' files before they are used, in sealed memory.

/// Places of the check's inherited descriptors.
public enum CheckDescriptors {
    /// Where the table of entry files goes.
    public static let output: Int32 = 1
    /// Where lines about what is wrong go.
    public static let log: Int32 = 2
    /// The plan.
    public static let plan: Int32 = 3
}

/// What to look at, and as whom.
public struct CheckPlan: Equatable, Sendable {
    /// What the answer is for.
    public enum Purpose: UInt8, Sendable {
        /// `apachectl configtest`: all problems.
        case test
        /// A start: what daemon processes do not report by themselves.
        case start
        /// A table of the entry files, with what they name.
        case dump
    }

    /// Seconds after which the check ends itself: a file system that does not answer would keep it for ever.
    public static let seconds: UInt32 = 20

    /// The user that files are looked at as.
    public struct Reader: Equatable, Sendable {
        /// Where the group is defined; empty for httpd.
        public var place: String
        /// What begins the lines about it: the name of the group.
        public var title: String
        /// Whether it is somebody else than who runs the check.
        public var changesIdentity: Bool
        /// User id.
        public var uid: UInt32
        /// Group id.
        public var gid: UInt32
        /// Supplementary group ids.
        public var groups: [UInt32]
        /// Working directory, as seen from inside `root`.
        public var directory: String
        /// Directory that is everything it sees of the file system; nil: it sees all of it.
        public var root: String?
        /// What is asked of the files.
        public var ownership: Ownership

        /// A reader from its parts.
        public init(
            place: String = "",
            title: String,
            changesIdentity: Bool,
            uid: UInt32,
            gid: UInt32,
            groups: [UInt32],
            directory: String = "/",
            root: String? = nil,
            ownership: Ownership = Ownership()
        ) {
            self.place = place
            self.title = title
            self.changesIdentity = changesIdentity
            self.uid = uid
            self.gid = gid
            self.groups = groups
            self.directory = directory
            self.root = root
            self.ownership = ownership
        }
    }

    /// A file to look at.
    public struct Entry: Equatable, Sendable {
        /// Where the directive stands that names it.
        public var place: String
        /// Its path.
        public var path: String
        /// Index of its reader; 0: its process group is known only when a request comes.
        public var reader: UInt32
        /// Its path as the reader sees it.
        public var inside: String
        /// Whether it may be a directory of entry files.
        public var mayBeDirectory: Bool
        /// Whether daemon processes load it when they start, and say then what is wrong with it.
        public var isLoaded: Bool
        /// Whether httpd's own children load it: the reader is httpd then.
        public var isEmbedded: Bool
        /// The exported function; empty: the one that the entry file names, or the usual one; nil: it is known only when a
        /// request comes.
        public var function: String?

        /// An entry from its parts.
        public init(
            place: String,
            path: String,
            reader: UInt32,
            inside: String,
            mayBeDirectory: Bool,
            isLoaded: Bool,
            isEmbedded: Bool = false,
            function: String? = nil
        ) {
            self.place = place
            self.path = path
            self.reader = reader
            self.inside = inside
            self.mayBeDirectory = mayBeDirectory
            self.isLoaded = isLoaded
            self.isEmbedded = isEmbedded
            self.function = function
        }
    }

    /// What the answer is for.
    public var purpose: Purpose
    /// httpd's log level of this module.
    public var logLevel: UInt8
    /// httpd's children first, then the process groups in their order.
    public var readers: [Reader]
    /// The files, without repetition.
    public var entries: [Entry]

    /// A plan from its parts.
    public init(purpose: Purpose, logLevel: UInt8, readers: [Reader], entries: [Entry]) {
        self.purpose = purpose
        self.logLevel = logLevel
        self.readers = readers
        self.entries = entries
    }
}

extension CheckPlan {
    private static let limit = 1_000_000

    /// The plan's bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(purpose.rawValue)
        writer.write(logLevel)
        writer.write(readers) { $1.write(to: &$0) }
        writer.write(entries) { $1.write(to: &$0) }
        return writer.bytes
    }

    /// Reads a plan.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        var reader = ByteReader(bytes)
        let number: UInt8 = try reader.read()
        guard let purpose = Purpose(rawValue: number) else { throw Malformed("purpose \(number)") }
        self.purpose = purpose
        logLevel = try reader.read()
        readers = try reader.readList(limit: Self.limit) { reader throws(Malformed) in try Reader(&reader) }
        entries = try reader.readList(limit: Self.limit) { reader throws(Malformed) in try Entry(&reader) }
        try reader.finish()
        guard !readers.isEmpty, entries.allSatisfy({ $0.reader < readers.count }) else {
            throw Malformed("an entry without a reader")
        }
    }
}

extension CheckPlan.Reader {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(place)
        writer.write(title)
        writer.write(UInt8(changesIdentity ? 1 : 0))
        writer.write(uid)
        writer.write(gid)
        writer.write(groups) { $0.write($1) }
        writer.write(directory)
        writer.write(root)
        ownership.write(to: &writer)
    }

    fileprivate init(_ reader: inout ByteReader) throws(Malformed) {
        place = try reader.readText(limit: ControlLimits.text)
        title = try reader.readText(limit: ControlLimits.text)
        changesIdentity = try reader.read(UInt8.self) != 0
        uid = try reader.read()
        gid = try reader.read()
        groups = try reader.readList(limit: 65_536) { reader throws(Malformed) in try reader.read() }
        directory = try reader.readText(limit: ControlLimits.path)
        root = try reader.readOptionalText(limit: ControlLimits.path)
        ownership = try Ownership(&reader)
    }
}

extension CheckPlan.Entry {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(place)
        writer.write(path)
        writer.write(reader)
        writer.write(inside)
        writer.write(UInt8(mayBeDirectory ? 1 : 0))
        writer.write(UInt8(isLoaded ? 1 : 0))
        writer.write(UInt8(isEmbedded ? 1 : 0))
        writer.write(function)
    }

    fileprivate init(_ reader: inout ByteReader) throws(Malformed) {
        place = try reader.readText(limit: ControlLimits.text)
        path = try reader.readText(limit: ControlLimits.path)
        self.reader = try reader.read()
        inside = try reader.readText(limit: ControlLimits.path)
        mayBeDirectory = try reader.read(UInt8.self) != 0
        isLoaded = try reader.read(UInt8.self) != 0
        isEmbedded = try reader.read(UInt8.self) != 0
        function = try reader.readOptionalText(limit: ControlLimits.text)
    }
}
