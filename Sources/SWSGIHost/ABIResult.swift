internal import CSWSGI

/// The results of the host's functions, in the width that they return.
enum ABIResult {
    static let ok = Int32(SWSGI_OK)
    static let clientGone = Int32(SWSGI_ERROR_CLIENT_GONE)
    static let status = Int32(SWSGI_ERROR_STATUS)
    static let headerName = Int32(SWSGI_ERROR_HEADER_NAME)
    static let headerValue = Int32(SWSGI_ERROR_HEADER_VALUE)
    static let started = Int32(SWSGI_ERROR_STARTED)
    static let notStarted = Int32(SWSGI_ERROR_NOT_STARTED)
    static let tooLong = Int32(SWSGI_ERROR_TOO_LONG)
    static let headSize = Int32(SWSGI_ERROR_HEAD_SIZE)
    static let ended = Int32(SWSGI_ERROR_ENDED)
    static let inUse = Int32(SWSGI_ERROR_IN_USE)
    static let limit = Int32(SWSGI_ERROR_LIMIT)
    static let file = Int32(SWSGI_ERROR_FILE)
    static let contentLength = Int32(SWSGI_ERROR_CONTENT_LENGTH)
}
