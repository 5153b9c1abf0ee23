internal import CSWSGIModule
internal import Glibc
internal import SWSGIConfiguration
internal import SWSGIModuleCore
internal import SWSGISystem
internal import SWSGIWire

// The directives: from httpd's arguments to `Configuration`. Everything here runs in httpd's parent, in its one thread.

@c @implementation
func swsgi_configuration_begin() {
    parent.configuration = Configuration()
}

@c @implementation
func swsgi_define_group(
    _ arguments: UnsafePointer<CChar>,
    _ place: UnsafePointer<swsgi_place>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    checked(message, capacity) { () throws(Problem) in
        try parent.configuration.define(String(cString: arguments), at: Place(place.pointee), isRoot: geteuid() == 0)
    }
}

@c @implementation
func swsgi_use_group(_ name: UnsafePointer<CChar>, _ place: UnsafePointer<swsgi_place>) {
    parent.configuration.use(String(cString: name), at: Place(place.pointee))
}

@c @implementation
func swsgi_slow_requests(
    _ value: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    checked(message, capacity) { () throws(Problem) in
        try parent.configuration.setSlowRequests(String(cString: value))
    }
}

@c @implementation
func swsgi_restrict(
    _ what: Int32,
    _ isOn: Int32,
    _ directive: UnsafePointer<CChar>,
    _ place: UnsafePointer<swsgi_place>
) {
    guard what < 8 else {
        parent.configuration.embedded.isRestricted = isOn != 0
        return
    }
    parent.configuration.restrictions.set(
        Restrictions(rawValue: UInt8(truncatingIfNeeded: what)),
        isOn != 0,
        directive: String(cString: directive),
        at: Place(place.pointee)
    )
}

@c @implementation
func swsgi_section_begin(
    _ arguments: UnsafePointer<CChar>,
    _ place: UnsafePointer<swsgi_place>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    checked(message, capacity) { () throws(Problem) in
        let section = try InterpreterSection(String(cString: arguments))
        if let group = section.processGroup, group != "%{GLOBAL}" {
            parent.configuration.use(group, at: Place(place.pointee))
        }
        parent.configuration.restrictions.begin(section)
    }
}

@c @implementation
func swsgi_section_check(
    _ directive: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    checked(message, capacity) { () throws(Problem) in try InterpreterSection.check(String(cString: directive)) }
}

@c @implementation
func swsgi_section_end() {
    parent.configuration.restrictions.end()
}

@c @implementation
func swsgi_import_script(
    _ path: UnsafePointer<CChar>,
    _ arguments: UnsafePointer<CChar>,
    _ place: UnsafePointer<swsgi_place>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    checked(message, capacity) { () throws(Problem) in
        try parent.configuration.addImport(
            String(cString: path),
            String(cString: arguments),
            at: Place(place.pointee)
        )
    }
}

@c @implementation
func swsgi_ignore_directive(_ name: UnsafePointer<CChar>, _ place: UnsafePointer<swsgi_place>) {
    // A line of an .htaccess file, for every request: nobody wants to read of it each time.
    guard !parent.isChild else { return }
    parent.configuration.ignore(String(cString: name), at: Place(place.pointee))
}

@c @implementation
func swsgi_note_alias(
    _ alias: UnsafePointer<swsgi_alias>,
    _ processGroup: UnsafePointer<CChar>?,
    _ applicationGroup: UnsafePointer<CChar>?,
    _ denier: UnsafePointer<CChar>?,
    _ server: OpaquePointer
) {
    let alias = alias.pointee
    let server = ServerFacts(server)
    let file = alias.file.map { String(cString: $0) } ?? ""
    var mount = Mount(
        place: Place(file: file, line: Int(alias.line), server: server),
        server: server,
        location: String(cString: alias.location),
        target: String(cString: alias.target),
        processGroup: processGroup.map { String(cString: $0) },
        applicationGroup: applicationGroup.map { String(cString: $0) },
        symbol: alias.symbol.map { String(cString: $0) }
    )
    mount.denier = denier.map { String(cString: $0) }
    parent.configuration.add(mount)
}

@c @implementation
func swsgi_define_alias(
    _ kind: Int32,
    _ arguments: UnsafePointer<CChar>,
    _ alias: UnsafeMutablePointer<swsgi_alias>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    do throws(Problem) {
        let options = try ScriptAliasOptions(String(cString: arguments), aliasKind(kind))
        guard let location = strdup(options.location), let target = strdup(options.target) else {
            message.pointee = 0  // no memory: httpd must not read what was never written
            return 0
        }
        alias.pointee = swsgi_alias(
            kind: kind,
            location: location,
            target: target,
            process_group: copy(options.processGroup),
            application_group: copy(options.applicationGroup),
            symbol: copy(options.symbol),
            pass_authorization: options.passAuthorization.map { $0 ? 1 : 0 } ?? -1,
            pattern: nil,
            file: nil,
            line: 0,
            is_override: 0
        )
        return 1
    } catch {
        write(error, to: message, capacity)
        return 0
    }
}

@c @implementation
func swsgi_preload(
    _ alias: UnsafePointer<swsgi_alias>,
    _ processGroup: UnsafePointer<CChar>,
    _ applicationGroup: UnsafePointer<CChar>,
    _ server: OpaquePointer
) {
    let key = ApplicationKey(
        entryFile: Mount.withoutLastSlashes(String(cString: alias.pointee.target)),
        applicationGroup: String(cString: applicationGroup),
        symbol: alias.pointee.symbol.map { String(cString: $0) } ?? ""
    )
    parent.configuration.preload(key, group: String(cString: processGroup), server: ServerFacts(server))
}

@c @implementation
func swsgi_embeds(_ alias: UnsafePointer<swsgi_alias>, _ applicationGroup: UnsafePointer<CChar>?) {
    let entryFile = String(cString: alias.pointee.target)
    parent.configuration.embedded.add(entryFile)
    guard let applicationGroup else { return }
    let group = String(cString: applicationGroup)
    guard group == "%{GLOBAL}" || strstr(group, "%{") == nil else { return }
    parent.configuration.embedded.preload(
        ApplicationKey(
            entryFile: entryFile,
            applicationGroup: group == "%{GLOBAL}" ? "" : group,
            symbol: alias.pointee.symbol.map { String(cString: $0) } ?? ""
        )
    )
}

@c @implementation
func swsgi_alias_match(_ uri: UnsafePointer<CChar>, _ location: UnsafePointer<CChar>) -> Int {
    aliasMatch(uri: uri, location: location)
}

@c @implementation
func swsgi_configuration_read() {
    parent.configuration.updateServers { server in
        OpaquePointer(bitPattern: server.id).map { ServerFacts($0) } ?? server
    }
}

@c @implementation
func swsgi_configuration_check(_ server: OpaquePointer) -> Int32 {
    parent.configuration.resolveImports()
    var problems = parent.configuration.problems()
    if let problem = missingProgram() { problems.append(problem) }
    for problem in problems { swsgi_log_server(server, Int32(LogLevel.critical.rawValue), problem.description) }
    return problems.isEmpty ? 1 : 0
}

extension Place {
    init(_ place: swsgi_place) {
        self.init(file: String(cString: place.file), line: Int(place.line), server: ServerFacts(place.server))
    }
}

extension ServerFacts {
    init(_ server: OpaquePointer) {
        let facts = swsgi_server_facts_get(server)
        self.init(
            id: UInt(bitPattern: server),
            hostName: String(cString: facts.host_name),
            isVirtual: facts.is_virtual != 0
        )
    }
}

func write(_ problem: Problem, to message: UnsafeMutablePointer<CChar>, _ capacity: Int) {
    var place = message
    for byte in problem.description.utf8.prefix(capacity - 1) {
        place.pointee = CChar(bitPattern: byte)
        place += 1
    }
    place.pointee = 0
}

private func copy(_ text: String?) -> UnsafePointer<CChar>? {
    guard let copy = text.flatMap({ strdup($0) }) else { return nil }
    return UnsafePointer(copy)
}
