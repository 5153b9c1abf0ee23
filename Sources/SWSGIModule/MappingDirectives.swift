internal import CSWSGIModule
internal import SWSGIConfiguration
internal import SWSGIModuleCore

// Which entry file and which groups a request has: what the directives say of them. Those of .htaccess files run in httpd's
// children, in any thread.

func aliasKind(_ kind: Int32) -> ScriptAliasOptions.Kind {
    switch kind {
    case Int32(SWSGI_ALIAS_MATCH): .match
    case Int32(SWSGI_ALIAS_HANDLER): .handler
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
    checked(message, capacity) { () throws(Problem) in
        _ = try callableName(String(cString: name), directive: String(cString: directive))
    }
}

@c @implementation
func swsgi_note_handler(_ handler: UnsafePointer<swsgi_alias>, _ place: UnsafePointer<swsgi_place>) {
    let name = { (text: UnsafePointer<CChar>?) in text.map { String(cString: $0) } }
    parent.configuration.addHandler(
        HandlerScript(
            entryFile: String(cString: handler.pointee.target),
            processGroup: name(handler.pointee.process_group),
            applicationGroup: name(handler.pointee.application_group)
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
