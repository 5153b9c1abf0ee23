// swift-tools-version: 6.2
import PackageDescription

// Folder = target = layer. scripts/check proves that imports go down only.

/// Where Debian's apache2-dev puts httpd's and APR's headers; set the variables on systems that put them elsewhere.
let httpdHeaders = Context.environment["SWSGI_HTTPD_INCLUDE"] ?? "/usr/include/apache2"
let aprHeaders = Context.environment["SWSGI_APR_INCLUDE"] ?? "/usr/include/apr-1.0"

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let strictC: [CSetting] = [
    .treatAllWarnings(as: .error),
    .enableWarning("all"),
    .enableWarning("extra"),
    .enableWarning("nullability-completeness"),
]

func c(_ name: String, _ dependencies: [Target.Dependency] = [], _ settings: [CSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, cSettings: strictC + settings)
}

/// What runs in httpd and in daemon processes does without the modules that are imported unasked: megabytes, for nothing.
let lean: [SwiftSetting] = [
    .unsafeFlags([
        "-Xfrontend", "-disable-implicit-string-processing-module-import",
        "-Xfrontend", "-disable-implicit-concurrency-module-import",
    ])
]

/// Overlapping accesses end debug builds, and with them the unit tests; a server must not end for one, and looking for them costs time.
let trusting: [SwiftSetting] = [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

func layer(
    _ name: String,
    _ dependencies: [Target.Dependency],
    _ linker: [LinkerSetting] = [],
    exclude: [String] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        exclude: exclude,
        swiftSettings: strict + lean + trusting,
        linkerSettings: linker
    )
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A bundle of the project's own: a dynamic library that exports `application`.
func bundle(
    _ name: String,
    path: String,
    exclude: [String] = [],
    _ dependencies: [Target.Dependency] = ["SWSGI"]
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: path,
        exclude: exclude,
        swiftSettings: strict,
        linkerSettings: [.unsafeFlags(["-Xlinker", "-z", "-Xlinker", "nodelete"])]
    )
}

/// A bundle among the examples, with its entry file beside its source.
///
/// Its module is called `Example_NAME`: an application that depends on this package may well be called `hello` itself.
func example(_ name: String, _ dependencies: [Target.Dependency] = ["SWSGI"]) -> Target {
    bundle("Example_\(name)", path: "Sources/Examples/\(name)", exclude: ["\(name).wsgi"], dependencies)
}

/// The product of a bundle: `libNAME.so`.
func bundleProduct(_ name: String) -> Product {
    .library(name: name, type: .dynamic, targets: [name])
}

let examples = ["Example_hello", "Example_guestbook", "Example_upload", "Example_clock"]

/// Bundles that the integration tests load; each shows what a host has to see, or to survive.
let fixtures = [
    "FixtureFacts", "FixtureEcho", "FixtureTrouble", "FixtureVersionA", "FixtureVersionB", "FixtureBench",
    "FixtureSoak", "FixtureResponse", "FixtureScripts",
    "FixtureMain",
]

/// What httpd and a daemon process load carries its own Swift runtime: nothing to find at run time, nothing shared with bundles.
let selfContained: [String] = ["-static-stdlib"]

let package = Package(
    name: "mod_swsgi",
    products: [
        .library(name: "SWSGI", targets: ["SWSGI"]),
        .library(name: "mod_swsgi", type: .dynamic, targets: ["SWSGIModule"]),
        .executable(name: "swsgid", targets: ["swsgid"]),
        .executable(name: "swsgi", targets: ["swsgi"]),
    ] + (examples + fixtures).map(bundleProduct),
    targets: [
        // public
        c("CSWSGI"),
        .target(name: "SWSGI", dependencies: ["CSWSGI"], swiftSettings: strict),
        // system
        c("CSWSGISystem"),
        layer("SWSGISystem", ["CSWSGISystem"]),
        // values
        layer("SWSGIWire", []),
        layer("SWSGIConfiguration", []),
        // engine
        layer("SWSGIHost", ["CSWSGI", "SWSGISystem", "SWSGIWire", "SWSGIConfiguration"]),
        // roles
        layer("SWSGIWorker", ["CSWSGISystem", "SWSGISystem", "SWSGIWire", "SWSGIConfiguration", "SWSGIHost"]),
        layer("SWSGISupervisor", ["SWSGISystem", "SWSGIWire", "SWSGIConfiguration"]),
        layer("SWSGICheck", ["SWSGISystem", "SWSGIWire", "SWSGIConfiguration", "SWSGIHost"]),
        layer("SWSGIModuleCore", ["SWSGISystem", "SWSGIWire", "SWSGIConfiguration"]),
        // edge
        c("CSWSGIModule", ["CSWSGI"], [.unsafeFlags(["-isystem", httpdHeaders, "-isystem", aprHeaders])]),
        layer(
            "SWSGIModule",
            ["CSWSGIModule", "SWSGIModuleCore", "SWSGISystem", "SWSGIWire", "SWSGIConfiguration", "SWSGIHost"],
            [
                .unsafeFlags(
                    selfContained + [
                        "-Xlinker", "-z", "-Xlinker", "nodelete",
                        "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/SWSGIModule/exports.map",
                    ]
                )
            ],
            exclude: ["exports.map"]
        ),
        .executableTarget(
            name: "swsgid",
            dependencies: ["SWSGISupervisor", "SWSGIWorker", "SWSGICheck", "SWSGISystem", "SWSGIConfiguration"],
            swiftSettings: strict + lean,
            linkerSettings: [.unsafeFlags(selfContained)]
        ),
        .executableTarget(
            name: "swsgi",
            dependencies: ["SWSGIConfiguration"],
            swiftSettings: strict + lean,
            linkerSettings: [.unsafeFlags(selfContained)]
        ),
        // examples
        example("hello"),
        example("guestbook", ["SWSGI", "CSQLite"]),
        example("upload"),
        example("clock"),
        .systemLibrary(name: "CSQLite", path: "Sources/Examples/CSQLite"),
        // tests
        tests("SWSGITests", ["SWSGI", "CSWSGI"]),
        tests("SWSGIWireTests", ["SWSGIWire", "SWSGI"]),
        tests("SWSGIConfigurationTests", ["SWSGIConfiguration"]),
        tests("SWSGIHostTests", ["SWSGIHost", "CSWSGI", "SWSGISystem", "SWSGIWire", "SWSGIConfiguration"]),
        tests("SWSGIModuleCoreTests", ["SWSGIModuleCore", "SWSGISystem", "SWSGIWire", "SWSGIConfiguration"]),
        tests("SWSGISupervisorTests", ["SWSGISupervisor", "SWSGISystem", "SWSGIWire", "SWSGIConfiguration"]),
        tests("SWSGIWorkerTests", ["SWSGIWorker"]),
        tests("ManualTests", ["SWSGIConfiguration", "CSWSGI"]),
        tests("IntegrationTests", ["SWSGIConfiguration"]),
    ] + fixtures.map { bundle($0, path: "Tests/Fixtures/\($0)") },
    swiftLanguageModes: [.v6]
)
