// swift-tools-version: 6.2
import PackageDescription

// The SDK of mod_swsgi as `scripts/install` puts it under PREFIX/share/swsgi. A bundle depends on it by path:
//
//     .package(path: "/usr/local/share/swsgi")  and  .product(name: "SWSGI", package: "swsgi")

let package = Package(
    name: "swsgi",
    products: [
        .library(name: "SWSGI", targets: ["SWSGI"])
    ],
    targets: [
        .target(name: "CSWSGI"),
        .target(
            name: "SWSGI",
            dependencies: ["CSWSGI"],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
