internal import Glibc
internal import SWSGIConfiguration
internal import SWSGISystem
internal import SWSGIWire

// Starting daemon processes.
extension Supervisor {
    /// Starts what the machines asked for in this turn.
    ///
    /// A start that fails asks for the next one, at once or later: those that are due at once belong to the next turn.
    func startLaunches() {
        for index in groups.indices {
            let launches = groups[index].launches
            groups[index].launches = []
            for launch in launches where groups[index].machine.member(launch.ticket) != nil {
                start(launch, group: index)
            }
        }
    }

    private func start(_ launch: GroupMachine.Launch, group index: Int) {
        do {
            let worker = try spawn(launch, group: index)
            processes[worker.pid] = worker
            tell(index, .processStarted(ticket: launch.ticket, pid: worker.pid))
            if !worker.send(.configure(workerPlan(launch, group: index, directory: worker.directory))) {
                tell(index, .deaf(ticket: launch.ticket))
            }
        } catch {
            tell(index, .startFailed(ticket: launch.ticket, reason: error.reason))
        }
    }

    /// A failed start's reason, for its log line.
    private struct StartFailure: Error {
        let reason: String
    }

    private func spawn(_ launch: GroupMachine.Launch, group index: Int) throws(StartFailure) -> WorkerHandle {
        let group = groups[index].plan
        let directory = "\(index)-\(launch.ticket)"
        let identity = group.changesIdentity ? Identity(uid: group.uid, gid: group.gid, groups: group.groups) : nil
        do {
            _ = try snapshots(of: index).make(directory, owner: identity)
        } catch {
            let place = jails[index]?.path ?? group.surroundings.root ?? snapshots.path
            throw StartFailure(reason: "a directory for snapshots in \(place): \(Capability.chown.explain(error))")
        }
        do {
            return try spawn(launch, group: index, directory: directory, identity: identity)
        } catch {
            removeSnapshots(directory, of: index)
            throw error
        }
    }

    private func spawn(
        _ launch: GroupMachine.Launch,
        group index: Int,
        directory: String,
        identity: Identity?
    ) throws(StartFailure) -> WorkerHandle {
        let group = groups[index].plan
        let environment: [String]
        do throws(Problem) {
            environment = try WorkerEnvironment.make(group, backtrace: plan.backtrace)
        } catch {
            throw StartFailure(reason: "\(error)")
        }
        do {
            let control = try Socket.pair(.messages)
            let stdout = try Descriptor.pipe(nonBlockingRead: true)
            let stderr = try Descriptor.pipe(nonBlockingRead: true)
            // What can't be read is opened for writing: then reading is an error, and not the end of an empty file.
            let input = try Descriptor.open("/dev/null", group.restrictions.contains(.input) ? O_WRONLY : O_RDONLY)
            Socket.setSendBuffer(control.first.number, bytes: 2 * Int32(ControlLimits.message))
            var program = Program(
                // The one that runs here, whatever stands under its name by now.
                path: "/proc/self/exe",
                arguments: [plan.program, "serve"],
                environment: environment,
                descriptors: [
                    input.number, stdout.writing.number, stderr.writing.number, groups[index].queue,
                    control.second.number, SupervisorDescriptors.takers(ofGroup: index),
                ],
                identity: identity,
                directory: group.surroundings.root == nil ? group.directory : nil,
                umask: group.umask
            )
            program.descriptorLimit = plan.descriptorLimit
            program.priority = group.surroundings.priority
            program.isConfined = true
            program.mayChangeRoot = group.surroundings.root != nil
            let pid = try program.start()
            return WorkerHandle(
                group: index,
                ticket: launch.ticket,
                pid: pid,
                directory: directory,
                control: control.first,
                stdout: stdout.reading,
                stderr: stderr.reading,
                restrictsOutput: group.restrictions.contains(.output)
            )
        } catch let error as SpawnFailure {
            throw StartFailure(reason: reason(error, group))
        } catch {
            throw StartFailure(reason: "its descriptors: \(error)")
        }
    }

    /// What could not be done: the program is to blame for some steps only.
    private func reason(_ failure: SpawnFailure, _ group: GroupPlan) -> String {
        switch failure.stage {
        case .directory:
            let directory = group.surroundings.root == nil ? group.directory : "/"
            return "working directory \(directory) can't be entered by uid \(group.uid): \(failure.error)"
        case .exec:
            // The kernel looks at the limit of processes only now, as the user has changed since the fork.
            let hint = failure.error.wouldBlock ? " (the limit of processes of uid \(group.uid) is reached)" : ""
            return "\(plan.program): \(failure.explanation)\(hint)"
        case .fork, .descriptors: return failure.explanation
        case .groups, .gid, .uid, .regained, .priority, .confine: return "uid \(group.uid): \(failure.explanation)"
        }
    }

    /// The first message; what doesn't fit into it is left out, last first.
    private func workerPlan(_ launch: GroupMachine.Launch, group index: Int, directory: String) -> WorkerPlan {
        let group = groups[index].plan
        var worker = WorkerPlan(
            group: group.name,
            threads: group.threads,
            processes: max(group.processes, group.recycling.processesMax),
            snapshots: seen("\((jails[index] ?? snapshots).path)/\(directory)", by: group),
            displayName: group.displayName
        )
        worker.isMultiprocess = group.isMultiprocess
        worker.inactivityTimeout = group.inactivityTimeout
        worker.restrictions = group.restrictions
        worker.deadlines = group.deadlines
        worker.limits = launch.limits
        worker.surroundings = group.surroundings
        worker.required = launch.required
        worker.kept = launch.kept
        worker.preload = launch.preload
        worker.poisoned = launch.poisoned
        while SupervisorMessage.configure(worker).bytes.count > ControlLimits.message {
            if !worker.preload.isEmpty {
                worker.preload.removeLast()
            } else if !worker.poisoned.isEmpty {
                worker.poisoned.removeFirst()
            } else if !worker.kept.isEmpty {
                worker.kept.removeLast()
            } else {
                break
            }
        }
        return worker
    }
}
