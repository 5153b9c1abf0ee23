/// What httpd asks of a script about a request.
///
/// Numbers are those of `swsgi_scripts.h`.
///
/// Source: mod_wsgi's WSGIAccessScript, WSGIAuthUserScript, WSGIAuthGroupScript and WSGIDispatchScript.
public enum Question: Int32, CaseIterable, Sendable {
    /// Whether the client may come at all.
    case access = 0
    /// Whether a password is that of a user.
    case password = 1
    /// The hash of a user's password, for Digest.
    case realmHash = 2
    /// The groups that a user is in.
    case groups = 3
    /// Where the request goes.
    case destination = 4

    /// The function that is asked.
    public var symbol: String {
        switch self {
        case .access: "allow_access"
        case .password: "check_password"
        case .realmHash: "get_realm_hash"
        case .groups: "groups_for_user"
        case .destination: "dispatch_request"
        }
    }
}
