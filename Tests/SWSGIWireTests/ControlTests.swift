import SWSGIWire
import Testing

@Suite struct ControlTests {
    static let key = ApplicationKey(entryFile: "/srv/app.wsgi", applicationGroup: "", symbol: "application")
    static let version = ApplicationVersion(
        key: ApplicationKey(entryFile: "/srv/Grüße.wsgi", applicationGroup: "other", symbol: "handle"),
        identity: FileIdentity(device: 1, inode: .max, size: 2, modified: .min, changed: 5)
    )
    static let surroundings: Surroundings = {
        var surroundings = Surroundings()
        surroundings.lang = "de_DE.UTF-8"
        surroundings.locale = "C"
        surroundings.priority = -20
        surroundings.stackSize = 1 << 20
        surroundings.dataLimit = .max
        surroundings.addressLimit = 1
        surroundings.environmentFile = "/etc/a.env"
        surroundings.root = "/srv/jail"
        surroundings.directoryInRoot = "/home"
        surroundings.dumpDirectory = "/var/cores"
        surroundings.ownership.gid = 0
        surroundings.ownership.refusesWritable = true
        return surroundings
    }()
    static let plan: WorkerPlan = {
        var plan = WorkerPlan(group: "g", threads: 15, processes: 2, snapshots: "/tmp/x", displayName: "(wsgi:g)")
        plan.preload = [key, version.key]
        plan.deadlines = DeadlinePlan(requestTimeout: 1, interruptTimeout: 2, deadlockTimeout: 86_400_000_000)
        plan.surroundings = surroundings
        plan.required = [key]
        plan.limits.requests = 7
        plan.limits.cpuTimeMax = 9
        plan.limits.isRunOnce = true
        plan.poisoned = [PoisonedApplication(version: version, reason: "ended by SIGSEGV")]
        return plan
    }()
    static let supervisorMessages: [SupervisorMessage] = [
        .configure(plan), .drain(.scriptReload), .reloadFailed(version), .ask(.max), .cancel, .signal(1),
        .configure(WorkerPlan(group: "", threads: 0, processes: .max, snapshots: "", displayName: nil)),
    ]
    static let workerMessages: [WorkerMessage] = [
        .ready, .stopped, .loading(version), .loaded(version), .notLoaded(version), .changed(version),
        .crashing(signal: 11),
        .leaving(.rssLimit), .running([]), .running(["GET / HTTP/1.1", ""]), .finished, .answer(7),
        .log(level: 3, text: "a line"), .log(level: 7, text: ""),
    ]

    @Test(arguments: supervisorMessages) func supervisorMessage_travels(_ message: SupervisorMessage) throws {
        #expect(try message.bytes.withUnsafeBytes { try SupervisorMessage($0) } == message)
    }

    @Test(arguments: workerMessages) func workerMessage_travels(_ message: WorkerMessage) throws {
        #expect(try message.bytes.withUnsafeBytes { try WorkerMessage($0) } == message)
    }

    @Test func crashSignal_standsWhereTheSignalHandlerPutsIt() {
        #expect(WorkerMessage.crashing(signal: 11).bytes[WorkerMessage.crashSignalOffset] == 11)
    }

    @Test func messagesOfTheOtherDirection_areRefused() {
        for message in Self.supervisorMessages { #expect(refusal(message.bytes, decodeWorker) != nil) }
        for message in Self.workerMessages { #expect(refusal(message.bytes, decodeSupervisor) != nil) }
    }

    @Test func emptyMessage_isRefused() {
        #expect(refusal([], decodeWorker) == "ends inside a number")
        #expect(refusal([], decodeSupervisor) == "ends inside a number")
    }

    @Test func unknownKinds_areRefused() {
        for kind in 0...UInt8.max where ![1, 2, 3, 10, 11, 20].contains(kind) {
            #expect(refusal([kind], decodeSupervisor) == "unknown supervisor message \(kind)")
        }
        for kind in 0...UInt8.max where !(65...73).contains(kind) && !(80...82).contains(kind) {
            #expect(refusal([kind], decodeWorker) == "unknown message \(kind)")
        }
    }

    @Test func byteAfterTheEnd_isRefused() {
        for message in Self.supervisorMessages {
            #expect(refusal(message.bytes + [0], decodeSupervisor) == "1 bytes too many")
        }
        for message in Self.workerMessages {
            #expect(refusal(message.bytes + [0], decodeWorker) == "1 bytes too many")
        }
    }

    @Test func longLogText_isCutToItsLimit_betweenCharactersOrNot() throws {
        for text in [String(repeating: "x", count: 10_000), String(repeating: "€", count: 10_000)] {
            let bytes = WorkerMessage.log(level: 3, text: text).bytes
            guard case .log(3, let received) = try bytes.withUnsafeBytes({ try WorkerMessage($0) }) else {
                Issue.record("not a log message")
                return
            }
            #expect(received.utf8.count <= ControlLimits.text + 6)
            #expect(received.prefix(2700) == text.prefix(2700))
        }
    }

    @Test func textsBeyondTheirLimits_areRefused() {
        var long = Self.version
        long.key.entryFile = String(repeating: "x", count: ControlLimits.path + 1)
        #expect(refusal(WorkerMessage.loading(long).bytes, decodeWorker) == "text of 4097 bytes, more than 4096")
        long = Self.version
        long.key.applicationGroup = String(repeating: "x", count: ControlLimits.name + 1)
        #expect(refusal(WorkerMessage.loaded(long).bytes, decodeWorker) == "text of 1025 bytes, more than 1024")
        long = Self.version
        long.key.symbol = String(repeating: "x", count: ControlLimits.name + 1)
        #expect(refusal(WorkerMessage.changed(long).bytes, decodeWorker) == "text of 1025 bytes, more than 1024")
    }

    @Test func moreThan64Applications_areRefused() {
        var plan = Self.plan
        plan.preload = Array(repeating: Self.key, count: ControlLimits.applications)
        #expect(refusal(SupervisorMessage.configure(plan).bytes, decodeSupervisor) == nil)
        plan.preload.append(Self.key)
        #expect(refusal(SupervisorMessage.configure(plan).bytes, decodeSupervisor) == "list of 65, more than 64")
    }

    @Test func everyTruncation_isRefused() throws {
        let supervisor = try supervisorTrial()
        let worker = try workerTrial()
        for message in Self.supervisorMessages { supervisor.feedTruncations(of: message.bytes) }
        for message in Self.workerMessages { worker.feedTruncations(of: message.bytes) }
        #expect(supervisor.accepted + supervisor.inconsistent == 0)
        #expect(worker.accepted + worker.inconsistent == 0)
    }

    @Test func everyByteChange_givesAConsistentMessageOrNone() throws {
        let supervisor = try supervisorTrial()
        let worker = try workerTrial()
        for message in Self.supervisorMessages { supervisor.feedByteChanges(of: message.bytes) }
        for message in Self.workerMessages { worker.feedByteChanges(of: message.bytes) }
        #expect(supervisor.inconsistent + worker.inconsistent == 0)
        #expect(worker.accepted > 0 && worker.refused > 0)
    }

    @Test func randomInputs_giveAConsistentMessageOrNone() throws {
        let supervisor = try supervisorTrial()
        let worker = try workerTrial()
        supervisor.feedRandomChanges(of: SupervisorMessage.configure(Self.plan).bytes, times: 20_000, seed: 5)
        worker.feedRandomChanges(of: WorkerMessage.changed(Self.version).bytes, times: 20_000, seed: 6)
        supervisor.feedRandomBytes(upTo: 100, times: 10_000, seed: 7)
        worker.feedRandomBytes(upTo: 100, times: 10_000, seed: 8)
        #expect(supervisor.inconsistent + worker.inconsistent == 0)
    }

    /// A message is consistent when it travels unchanged.
    private func supervisorTrial() throws -> Trial {
        try Trial { bytes throws(Malformed) in
            let message = try SupervisorMessage(bytes)
            return message.bytes.withUnsafeBytes { (try? SupervisorMessage($0)) == message }
        }
    }

    private func workerTrial() throws -> Trial {
        try Trial { bytes throws(Malformed) in
            let message = try WorkerMessage(bytes)
            return message.bytes.withUnsafeBytes { (try? WorkerMessage($0)) == message }
        }
    }

    private func decodeSupervisor(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        _ = try SupervisorMessage(bytes)
    }

    private func decodeWorker(_ bytes: UnsafeRawBufferPointer) throws(Malformed) { _ = try WorkerMessage(bytes) }
}
