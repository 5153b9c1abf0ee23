/// How many bytes of `uri` the location of an alias matches; 0 when it does not.
///
/// The rules of mod_alias: runs of slashes are one slash, and a match ends at the border of a path segment.
public func aliasMatch(uri: UnsafePointer<CChar>, location: UnsafePointer<CChar>) -> Int {
    let slash = CChar(bitPattern: UInt8(ascii: "/"))
    var place = uri
    var rest = location
    while rest.pointee != 0 {
        if rest.pointee == slash {
            guard place.pointee == slash else {
                // "/app/" as a location does not match "/app": there is no path under it.
                return 0
            }
            while rest.pointee == slash { rest += 1 }
            while place.pointee == slash { place += 1 }
        } else {
            guard place.pointee == rest.pointee else { return 0 }
            place += 1
            rest += 1
        }
    }
    guard rest != location else { return 0 }
    guard rest[-1] == slash || place.pointee == 0 || place.pointee == slash else { return 0 }
    return uri.distance(to: place)
}
