internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore

// Which entry file and which groups a request has: what the directives say of them. Those of .htaccess files run in httpd's
// children, in any thread.

func aliasKind(_ kind: Int32) -> ScriptAliasOptions.Kind {
    switch kind {
    case Int32(SWSGI_ALIAS_MATCH): .match
    case Int32(SWSGI_ALIAS_HANDLER): .handler
    case Int32(SWSGI_ALIAS_ACCESS): .access
    case Int32(SWSGI_ALIAS_USER): .user
    case Int32(SWSGI_ALIAS_GROUP): .group
    case Int32(SWSGI_ALIAS_DISPATCH): .dispatch
    default: .path
    }
}

@c @implementation
func swsgi_refuse_pattern(
    _ pattern: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) {
    let pattern = String(cString: pattern)
    let directive = ScriptAliasOptions.Kind.match.directive
    write(Problem(.patternInvalid, "\(directive): '\(pattern)' is no regular expression"), to: message, capacity)
}

@c @implementation
func swsgi_check_name(
    _ directive: UnsafePointer<CChar>,
    _ name: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    checked(message, capacity) { () throws(Problem) in
        _ = try groupName(String(cString: name), directive: String(cString: directive))
    }
}

@c @implementation
func swsgi_check_callable(
    _ directive: UnsafePointer<CChar>,
    _ name: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) -> Int32 {
    if !parent.isChild { parent.configuration.namesFunctions = true }
    return checked(message, capacity) { () throws(Problem) in
        _ = try callableName(String(cString: name), directive: String(cString: directive))
    }
}

// In a child, whose threads share it, the configuration has been checked: there is nothing to note for .htaccess files.

@c @implementation
func swsgi_note_script(_ script: UnsafePointer<swsgi_alias>, _ place: UnsafePointer<swsgi_place>) {
    guard !parent.isChild else { return }
    let name = { (text: UnsafePointer<CChar>?) in text.map { String(cString: $0) } }
    parent.configuration.add(
        NamedScript(
            aliasKind(script.pointee.kind),
            entryFile: String(cString: script.pointee.target),
            processGroup: name(script.pointee.process_group),
            applicationGroup: name(script.pointee.application_group)
        ),
        at: Place(place.pointee)
    )
}

@c @implementation
func swsgi_note_allowed(_ name: UnsafePointer<CChar>, _ place: UnsafePointer<swsgi_place>) {
    parent.configuration.allow(String(cString: name), at: Place(place.pointee))
}

@c @implementation
func swsgi_refuse_empty_list(
    _ directive: UnsafePointer<CChar>,
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int
) {
    let text = "\(String(cString: directive)) needs the names of process groups, or %{GLOBAL} for httpd's own processes"
    write(Problem(.allowedGroupsMissing, text), to: message, capacity)
}

func checked(
    _ message: UnsafeMutablePointer<CChar>,
    _ capacity: Int,
    _ check: () throws(Problem) -> Void
) -> Int32 {
    do throws(Problem) {
        try check()
        return 1
    } catch {
        write(error, to: message, capacity)
        return 0
    }
}
