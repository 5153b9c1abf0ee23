import CSWSGI
import SWSGI
import Synchronization
import Testing

@Suite("What happens to the process reaches the application")
struct ProcessEventTests {
    private final class Seen: Sendable {
        let events = Mutex<[ProcessEvent]>([])
    }

    private func tell(_ application: ExportedApplication, _ number: Int, _ detail: String) {
        let host = FakeHost()
        detail.withCString { bytes in
            let text = swsgi_text(bytes: bytes, length: detail.utf8.count)
            application.pointee.event?(application.pointee.context, host.hostTable, Int32(number), text)
        }
    }

    @Test func eventsOfEveryKind_areTold_andUnknownOnesAreNot() {
        let seen = Seen()
        let typed = export(Typed(observer: { event in seen.events.withLock { $0.append(event) } }) { _ in .text("") })
        let closure = export(onEvent: { event in seen.events.withLock { $0.append(event) } }) { _, _ in [] }
        for application in [typed, closure] {
            tell(application, Int(SWSGI_EVENT_DRAINING), "script_reload")
            tell(application, Int(SWSGI_EVENT_SIGNAL), "SIGHUP")
            tell(application, 99, "something new")
            tell(application, Int(SWSGI_EVENT_STOPPING), "script_reload")
        }
        let once: [ProcessEvent] = [
            .draining(reason: "script_reload"), .signal("SIGHUP"), .stopping(reason: "script_reload"),
        ]
        #expect(seen.events.withLock { $0 } == once + once)
    }

    @Test func applicationWithoutAnObserver_isNotDisturbed() {
        tell(export { _, _ in [] }, Int(SWSGI_EVENT_SIGNAL), "SIGUSR2")
        tell(export(Typed { _ in .text("") }), Int(SWSGI_EVENT_STOPPING), "")
    }
}
