// Services, and what is loaded without an alias: WSGIImportScript.
extension MessageCode {
    /// WSGIImportScript with a name that requests decide.
    public static let importInvalid = MessageCode(
        1160,
        .error,
        "WSGIImportScript names a group that is known only when a request comes.",
        cause:
            "%{ENV:...}, %{RESOURCE} and the like have no value at start.",
        cure: "Name a process group, or %{GLOBAL} for embedded mode; and an application group, or %{GLOBAL}."
    )
    /// threads=0 without or with several services.
    public static let serviceCount = MessageCode(
        1161,
        .error,
        "A process group with threads=0 needs one WSGIImportScript.",
        cause: "Its processes run one service, and nothing says which one; or several do.",
        cure: "Give each service a process group of its own, and a WSGIImportScript with process-group= and its name."
    )
    /// threads=0 and requests.
    public static let serviceTakesNoRequests = MessageCode(
        1162,
        .error,
        "A process group with threads=0 takes no requests.",
        cause: "A WSGIScriptAlias goes to it, by its own option or by WSGIProcessGroup.",
        cure: "Give the application a process group with threads."
    )
    /// The same, for a group that is only known now.
    public static let serviceAtRequest = MessageCode(
        4071,
        .error,
        "A request was to go to a process group with threads=0, which takes none (500).",
        cause: "WSGIProcessGroup names that group for this request.",
        cure: "Give the application a process group with threads."
    )

    static let services: [MessageCode] = [importInvalid, serviceCount, serviceTakesNoRequests, serviceAtRequest]
}
