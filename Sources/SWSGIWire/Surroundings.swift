/// What a group's processes get besides identity and work: language, limits, and how far they see.
///
/// httpd's parent makes it from the options; the supervisor acts on a part of it and hands all of it on to the processes.
public struct Surroundings: Equatable, Sendable {
    /// LANG of the environment; nil: the usual one.
    public var lang: String?
    /// LC_ALL of the environment and of the process; nil: neither is set.
    public var locale: String?
    /// Added to the niceness that httpd has; 0: nothing.
    public var priority: Int32 = 0
    /// Bytes of a request thread's stack; 0: the system's default.
    public var stackSize: Int64 = 0
    /// Bytes of data that a process may have (RLIMIT_DATA); 0: no limit.
    public var dataLimit: Int64 = 0
    /// Bytes of address space that a process may have (RLIMIT_AS); 0: no limit.
    public var addressLimit: Int64 = 0

    /// File of variables, which the supervisor reads at each start; nil: none.
    public var environmentFile: String?

    /// Directory that is everything the processes see of the file system; nil: they see all of it.
    public var root: String?
    /// Working directory inside of it.
    public var directoryInRoot: String?
    /// Where core dumps go; nil: there are none.
    public var dumpDirectory: String?
    /// What is asked of the files of applications.
    public var ownership = Ownership()

    /// Nothing special.
    public init() {}

    func write(to writer: inout ByteWriter) {
        writer.write(lang)
        writer.write(locale)
        writer.write(priority)
        writer.write(stackSize)
        writer.write(dataLimit)
        writer.write(addressLimit)
        writer.write(environmentFile)
        writer.write(root)
        writer.write(directoryInRoot)
        writer.write(dumpDirectory)
        ownership.write(to: &writer)
    }

    init(_ reader: inout ByteReader) throws(Malformed) {
        lang = try reader.readOptionalText(limit: ControlLimits.name)
        locale = try reader.readOptionalText(limit: ControlLimits.name)
        priority = try reader.read()
        stackSize = try reader.read()
        dataLimit = try reader.read()
        addressLimit = try reader.read()
        environmentFile = try reader.readOptionalText(limit: ControlLimits.path)
        root = try reader.readOptionalText(limit: ControlLimits.path)
        directoryInRoot = try reader.readOptionalText(limit: ControlLimits.path)
        dumpDirectory = try reader.readOptionalText(limit: ControlLimits.path)
        ownership = try Ownership(&reader)
    }
}
