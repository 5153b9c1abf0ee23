import CSWSGI
import SWSGI
import Synchronization
import Testing

/// What the last wait was asked for, in milliseconds, and what the host answers.
private let asked = Atomic<Int64>(0)
private let isStopping = Atomic<Bool>(false)

/// Services, as the host sees them.
@Suite(.serialized) struct ServiceTests {
    private func run(_ work: @escaping @Sendable (Service) throws -> Void) -> (result: Int32, log: [Event]) {
        let host = FakeHost()
        var control = swsgi_control(
            abi_version: SWSGI_ABI_VERSION,
            size: UInt32(MemoryLayout<swsgi_control>.size),
            stopping: { _ in isStopping.load(ordering: .relaxed) ? 1 : 0 },
            wait: { _, milliseconds in
                asked.store(milliseconds, ordering: .relaxed)
                return isStopping.load(ordering: .relaxed) ? 1 : 0
            }
        )
        let table = exportService(work)
        let result = table.pointee.run(table.pointee.context, host.hostTable, &control)
        return (result, host.events)
    }

    @Test func table_hasVersionSizeAndName() {
        let table = exportService { _ in }
        #expect(table.pointee.abi_version == SWSGI_ABI_VERSION)
        #expect(table.pointee.size == 40)
        #expect(table.pointee.sdk.length > 5)
    }

    @Test(
        arguments: [
            (.milliseconds(20), 20), (.seconds(60), 60_000), (.nanoseconds(1), 1), (.zero, 0), (.seconds(-5), 0),
            (.seconds(Int64.max), .max),
        ] as [(Duration, Int64)]
    )
    func waits_areRoundedUp_andNeverEndless(_ time: Duration, _ milliseconds: Int64) {
        let ran = run { service in #expect(service.wait(for: time)) }
        #expect(ran.result == 0)
        #expect(asked.load(ordering: .relaxed) == milliseconds)
    }

    @Test func stopping_endsWaits() {
        isStopping.store(true, ordering: .relaxed)
        defer { isStopping.store(false, ordering: .relaxed) }
        let ran = run { service in
            #expect(service.isStopping)
            #expect(!service.wait(for: .seconds(1)))
            service.waitUntilStopping()
        }
        #expect(ran.result == 0)
        #expect(asked.load(ordering: .relaxed) == -1)
    }

    @Test func stream_logsWholeLinesAtItsLevel() {
        let ran = run { service in
            var log = service.stream(.notice)
            print("removed", 3, "files", to: &log)
            log.write("half a ")
            log.write("line\nbegun")
            log.flush()
            log.write("last")
        }
        let lines: [Event] = ["removed 3 files", "half a line", "begun", "last"].map {
            .log(5, "after the request: " + $0)
        }
        #expect(ran.log == lines)
    }

    @Test func error_isLogged_andAFailure() {
        struct Failure: Error {}
        let ran = run { _ in throw Failure() }
        #expect(ran.result == 1)
        guard case .log(3, let text)? = ran.log.last else { return #expect(Bool(false), "\(ran.log)") }
        #expect(text.contains("the service has failed: "))
        #expect(text.contains("Failure"))
    }
}
