// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hello",
    products: [.library(name: "hello", type: .dynamic, targets: ["hello"])],
    dependencies: [.package(name: "mod_swsgi", path: "../../..")],
    targets: [.target(name: "hello", dependencies: [.product(name: "SWSGI", package: "mod_swsgi")])],
    swiftLanguageModes: [.v6]
)
