// 4xxx: requests and responses; 5xxx: what a daemon process sends to httpd; 6xxx: refused for security.
extension MessageCode {
    /// No ExecCGI.
    public static let execCGIOff = MessageCode(
        4001,
        .error,
        "Options ExecCGI is off in this directory (403).",
        cause: "AddHandler or SetHandler wsgi-script without the option.",
        cure: "Add 'Options +ExecCGI', or use WSGIScriptAlias."
    )
    /// No entry file.
    public static let scriptMissing = MessageCode(
        4002,
        .error,
        "The entry file of this URL does not exist (404).",
        cause: "A wrong path in WSGIScriptAlias, or a removed file.",
        cure: "Put the entry file in its place."
    )
    /// A directory.
    public static let scriptIsDirectory = MessageCode(
        4003,
        .error,
        "The entry file of this URL is a directory (403).",
        cause: "WSGIScriptAlias names a directory, and the URL no file in it.",
        cure: "Name the file in WSGIScriptAlias, or in the URL."
    )
    /// AcceptPathInfo.
    public static let pathInfoRefused = MessageCode(
        4004,
        .error,
        "AcceptPathInfo is off, and the URL goes on after the entry file (404).",
        cause: "The configuration says so.",
        cure: "Set AcceptPathInfo On."
    )
    /// Group unknown at request time.
    public static let groupUnknownAtRequest = MessageCode(
        4011,
        .error,
        "The process group of this request does not exist (500).",
        cause: "Its name is made of the request, and no WSGIDaemonProcess defines it.",
        cure: "Define it, or correct the expression."
    )
    /// Group of another host.
    public static let groupForeignAtRequest = MessageCode(
        4012,
        .error,
        "The process group of this request belongs to another virtual host (500).",
        cause: "A group defined in a virtual host serves that host and those with the same ServerName only.",
        cure: "Define it in the main server to share it."
    )
    /// The queue is full.
    public static let queueFull = MessageCode(
        4020,
        .error,
        "The group's queue is full (503).",
        cause: "Requests come faster than the group answers them.",
        cure: "Raise processes= or threads=, or make the application faster."
    )
    /// No answer in time.
    public static let answerTimeout = MessageCode(
        4021,
        .error,
        "The daemon process did not answer within Timeout (504).",
        cause: "The application takes too long, or no thread was free.",
        cure: "Make it answer sooner, raise threads=, or raise Timeout."
    )
    /// The process died.
    public static let processDied = MessageCode(
        4022,
        .error,
        "The daemon process that ran this request ended (502).",
        cause: "The message names the process and how it ended.",
        cure: "See its own lines, and the backtrace, near this one."
    )
    /// Application failed.
    public static let applicationFailed = MessageCode(
        4023,
        .error,
        "The application failed without an answer (500).",
        cause: "It threw an error, or ended without starting a response.",
        cure: "See its own log lines before this one."
    )
    /// Cut short.
    public static let responseCut = MessageCode(
        4024,
        .error,
        "The response was cut short; the client's connection was aborted.",
        cause: "The process ended, or the application failed, after the response had begun.",
        cure: "See the lines near this one: nothing else can tell the client that the response is not complete."
    )
    /// Too few bytes.
    public static let responseShort = MessageCode(
        4025,
        .error,
        "The application sent fewer bytes than its Content-Length; the client's connection was aborted.",
        cause: "The application counted wrongly, or stopped early.",
        cure: "Let the server compute Content-Length, or correct the count."
    )
    /// Too many bytes.
    public static let responseLong = MessageCode(
        4026,
        .error,
        "The application sent more bytes than its Content-Length; the rest was dropped.",
        cause: "The application counted wrongly, perhaps characters instead of bytes.",
        cure: "Let the server compute Content-Length, or correct the count."
    )
    /// Too large.
    public static let headTooLarge = MessageCode(
        4027,
        .error,
        "The request's environ is larger than 16 MiB (500).",
        cause: "Enormous variables of the configuration.",
        cure: "Set fewer or smaller variables."
    )
    /// Not loaded.
    public static let applicationNotLoaded = MessageCode(
        4028,
        .error,
        "The application could not be loaded (500).",
        cause: "See the 2xxx line that the daemon process logged.",
        cure: "Mend the deployment, then touch the entry file."
    )
    /// Dropped header.
    public static let headerDropped = MessageCode(
        4029,
        .warning,
        "A response header that belongs to the server was dropped.",
        cause:
            "The application sets a field of a connection or a proxy (Connection, Keep-Alive, Proxy-Authenticate, Proxy-Authorization, Proxy-Connection, TE, Trailer, Trailers, Transfer-Encoding, Upgrade), or Status.",
        cure: "Don't set it: httpd does."
    )
    /// No channel.
    public static let channelFailed = MessageCode(
        4030,
        .error,
        "The request could not be handed to the process group (503).",
        cause: "The message names the system's reason.",
        cure: "Raise the limit of open files, or lower the number of httpd's threads."
    )
    /// Body.
    public static let bodyUnreadable = MessageCode(
        4031,
        .info,
        "The request body could not be read to its end.",
        cause: "The client went away or was too slow, or httpd refused the body: LimitRequestBody, malformed chunks.",
        cure: "Nothing to do, unless LimitRequestBody is too small."
    )

    /// Client gone.
    public static let clientGone = MessageCode(
        4090,
        .info,
        "The client closed its connection before it had the whole response.",
        cause:
            "The client closed its connection or reset its stream. The access log has status 499, also for a response that had begun.",
        cure: "Nothing to do; when it happens often, the application is slow."
    )

    /// Chunked.
    public static let chunksRefused = MessageCode(
        4050,
        .info,
        "A request body without a Content-Length was refused (411).",
        cause: "WSGIChunkedRequest is Off.",
        cure: "Set it On, as it is unless configured."
    )
    /// Too large.
    public static let bodyTooLarge = MessageCode(
        4051,
        .info,
        "A request body is larger than LimitRequestBody (413).",
        cause: "The client's Content-Length says so; the application was not asked.",
        cure: "Raise LimitRequestBody if such bodies are welcome."
    )
    /// Endless body where none is wanted.
    public static let discardLimit = MessageCode(
        4052,
        .notice,
        "The application was cut off in a body that nobody gets.",
        cause:
            "The request was a HEAD, or its body is replaced (WSGIErrorOverride, WSGILocalRedirect), and it went on for more than 1 MiB.",
        cure: "Nothing to do; a shorter body would spare the work."
    )

    /// Encoded.
    public static let encodingUnknown = MessageCode(
        4053,
        .info,
        "The Transfer-Encoding of a request is not chunked (501).",
        cause: "httpd takes chunks off, and no other encoding: the application would get encoded bytes.",
        cure: "Nothing to do; no usual client does this."
    )
    /// CONNECT.
    public static let tunnelRefused = MessageCode(
        4054,
        .info,
        "A client asked for a tunnel with CONNECT (405).",
        cause: "It takes this server for a proxy, or tries whether it is one.",
        cure: "Nothing to do."
    )

    /// File.
    public static let fileShrank = MessageCode(
        4040,
        .error,
        "A file became shorter, or unreadable, while httpd sent it; the client's connection was aborted.",
        cause: "Somebody shortened or overwrote a file that the application had handed over.",
        cure: "Write a new file and rename it over the old one: who reads the old one then reads it to its end."
    )

    /// 204, 205, 304.
    public static let bodyForbidden = MessageCode(
        4041,
        .info,
        "A response whose status allows no body had one, or a length; it was dropped.",
        cause: "The application sends content, or a Content-Length, with 204, 205 or 304.",
        cure: "Send another status, or no content."
    )
    /// Date.
    public static let dateInvalid = MessageCode(
        4042,
        .warning,
        "A Last-Modified header that is no date was dropped.",
        cause: "Its value has none of the forms of RFC 9110, section 5.6.7.",
        cure: "Write it like 'Sun, 06 Nov 1994 08:49:37 GMT'."
    )

    /// Content-Type.
    public static let contentTypeFaulty = MessageCode(
        4048,
        .warning,
        "A Content-Type header is missing, empty, given twice, or there is no content that it could describe.",
        cause: "The application's response; the message says which. It comes once for each entry file and kind.",
        cure: "Send one Content-Type with content, and none with 204, 205 and 304."
    )

    static let requests: [MessageCode] = [
        execCGIOff, scriptMissing, scriptIsDirectory, pathInfoRefused, groupUnknownAtRequest,
        groupForeignAtRequest, queueFull, answerTimeout, processDied, applicationFailed, responseCut, responseShort,
        responseLong, headTooLarge, applicationNotLoaded, headerDropped, channelFailed, bodyUnreadable,
        fileShrank, bodyForbidden, dateInvalid, contentTypeFaulty,
        chunksRefused, bodyTooLarge, discardLimit, encodingUnknown, tunnelRefused,
    ]

    /// Bytes that are no frames.
    public static let frameMalformed = MessageCode(
        5001,
        .error,
        "A daemon process sent bytes that are no frames (502).",
        cause: "The application writes to descriptors that are not its own.",
        cure: "Mend the application."
    )
    /// Frames in the wrong order.
    public static let frameOrder = MessageCode(
        5002,
        .error,
        "A daemon process sent frames in an order that makes no sense (502).",
        cause: "The application writes to descriptors that are not its own.",
        cure: "Mend the application."
    )
    /// A head that can't be read.
    public static let exchangeMalformed = MessageCode(
        5003,
        .error,
        "A daemon process got an exchange that it can't read.",
        cause: "A fault of mod_swsgi, or two versions of it at once.",
        cure: "Restart httpd; report it when it happens again."
    )

    static let frames: [MessageCode] = [frameMalformed, frameOrder, exchangeMalformed]

    /// Root.
    public static let rootRefused = MessageCode(
        6001,
        .error,
        "A process group is configured to run as root.",
        cause: "user= is uid 0.",
        cure: "Name a user of its own for the application."
    )
    /// Group root.
    public static let rootGroupRefused = MessageCode(
        6002,
        .error,
        "A process group is configured to run with the group root.",
        cause: "group= is gid 0, or the user's primary group is.",
        cure: "Name a group of its own for the application."
    )

    static let refusals: [MessageCode] = [rootRefused, rootGroupRefused]
}
