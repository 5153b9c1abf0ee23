import Glibc
public import SWSGI

// Scripts that httpd asks. What a client sends says how they answer, and how they go wrong.

private struct Trouble: Error {}

/// Goes wrong as a name says; comes back when it says nothing of the kind.
private func fail(as name: String?) throws {
    switch name {
    case "throw": throw Trouble()
    case "status": throw HTTPError(.forbidden)
    case "crash": abort()
    case "exit": exit(0)
    case "wait": while true { sleep(600) }  // a signal, as for a backtrace, ends one sleep
    default: break
    }
}

/// Allows, denies or declines as the header X-Access says.
@c public func allow_access() -> ExportedApplication {
    exportAccess { request, host in
        let wanted = request.headers["X-Access"]
        try fail(as: wanted)
        request.log.log(.info, "asked for host \(host) on \(request.path) of \(request.method)")
        if wanted == "patient" {
            request.log.log(.info, "waits for its client")
            while !request.isCancelled { usleep(20_000) }
            try request.checkCancellation()
        }
        switch wanted {
        case "allow": return .allow
        case "deny": return .deny
        default: return .decline
        }
    }
}

/// Knows a few users.
@c public func check_password() -> ExportedApplication {
    exportPasswords { request, user, password in
        try fail(as: user)
        switch (user, password) {
        case ("alice", "secret"), ("odd user", "p:w d"): return .granted
        case ("alice", _): return .denied
        case ("alias", "secret"): return .grantedAs("Ada Lovelace")
        case ("nobody", _): return .grantedAs("")
        case ("break", _): return .grantedAs("a\r\nSWSGI-Answer: yes")
        default: return .unknownUser
        }
    }
}

/// Knows alice, in one realm.
@c public func get_realm_hash() -> ExportedApplication {
    exportRealmHashes { _, user, realm in
        try fail(as: user)
        switch user {
        // MD5("alice:members:secret")
        case "alice" where realm == "members": return "d6ef48ef437b568c4e5a37c3bf784b16"
        case "wrong": return "no hash"
        default: return nil
        }
    }
}

/// Knows the groups of alice.
@c public func groups_for_user() -> ExportedApplication {
    exportGroups { request, user in
        try fail(as: request.headers["X-Groups"])
        request.log.log(.info, "asked for the groups of \(user)")
        return user == "alice" ? ["staff", "board members"] : []
    }
}

/// Sends requests where their headers say.
@c public func dispatch_request() -> ExportedApplication {
    exportDispatch { request in
        try fail(as: request.headers["X-Process-Group"])
        return Destination(
            processGroup: request.headers["X-Process-Group"],
            applicationGroup: request.headers["X-Application-Group"],
            callableObject: request.headers["X-Callable-Object"]
        )
    }
}

/// Says what it is.
@c public func application() -> ExportedApplication { names("application") }
/// The same under another name.
@c public func other_application() -> ExportedApplication { names("other_application") }

/// An application that says what it is, and who the user is.
private func names(_ symbol: String) -> ExportedApplication {
    export { environ, startResponse in
        startResponse("200 OK", [("Content-Type", "text/plain")])
        let keys = ["mod_wsgi.process_group", "mod_wsgi.application_group", "REMOTE_USER", "wsgi.url_scheme"]
        let secrets = environ.map(\.name).filter { $0.hasPrefix("swsgi.") }
        let lines = keys.map { "\($0)=\(environ[$0, default: "-"])\n" }
        return Body("symbol=\(symbol)\nsecrets=\(secrets.joined(separator: ","))\n" + lines.joined())
    }
}
