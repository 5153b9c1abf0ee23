/// The version of all programs of this project.
public let productVersion = "0.1.0"
