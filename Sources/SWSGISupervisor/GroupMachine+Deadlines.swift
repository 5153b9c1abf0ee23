internal import SWSGIConfiguration

/// Whether one process answers its supervisor.
///
/// It is asked from time to time, and has deadlock-timeout for its answer. A supervisor that was stalled itself, by a suspended
/// machine for instance, can't tell: then the time begins anew.
struct AnswerWatch {
    /// What is to be done at a moment.
    enum Step: Equatable {
        case nothing
        case ask(UInt32)
        case giveUp
    }

    private var number: UInt32 = 0
    private var askedAt: Int64?
    /// The last answer, or the first moment at which one could be asked for.
    private var answeredAt: Int64?
    /// When the process is given up: until then the supervisor reads what has come meanwhile.
    private var lastChance: Int64?

    /// The process answers from now on.
    mutating func begin(now: Int64) { answeredAt = answeredAt ?? now }

    mutating func answered(_ number: UInt32, now: Int64) {
        guard number == self.number, askedAt != nil else { return }
        askedAt = nil
        lastChance = nil
        answeredAt = now
    }

    /// What to do now; `limit` is deadlock-timeout.
    mutating func step(limit: Int64, now: Int64) -> Step {
        guard let due = deadline(limit: limit), due <= now else { return .nothing }
        guard let asked = askedAt else {
            number &+= 1
            askedAt = now
            return .ask(number)
        }
        if let chance = lastChance, now - chance <= Delays.second { return .giveUp }
        lastChance = nil
        if now - asked.adding(limit) <= Delays.second {
            lastChance = now.adding(min(limit / 4, Delays.second))
        } else {
            askedAt = now
        }
        return .nothing
    }

    /// When `step` is to come; nil: the process is not asked yet.
    func deadline(limit: Int64) -> Int64? {
        if let lastChance { return lastChance }
        if let askedAt { return askedAt.adding(limit) }
        return answeredAt?.adding(Self.interval(limit))
    }

    /// A quarter of the limit, so that a dead process is found soon after it; at most a minute, and no needless wake-ups.
    private static func interval(_ limit: Int64) -> Int64 { min(limit / 4, 60 * Delays.second) }
}

// deadlock-timeout: processes that are ready are asked for an answer, also while they drain.
extension GroupMachine {
    private func isAsked(_ member: Member) -> Bool {
        settings.deadlockTimeout > 0 && phase == .running && member.readyAt != nil && !member.isKilled
            && !member.isCrashing
    }

    mutating func watchAnswers(of member: Member, now: Int64) {
        guard isAsked(member) else { return }
        var answers = member.answers
        answers.begin(now: member.readyAt ?? now)
        let step = answers.step(limit: settings.deadlockTimeout, now: now)
        update(member.ticket) { $0.answers = answers }
        switch step {
        case .nothing: break
        case .ask(let number): actions.append(.ask(ticket: member.ticket, number))
        case .giveUp:
            let limit = seconds(settings.deadlockTimeout)
            let what = "did not answer its supervisor for \(limit) (deadlock-timeout) and is killed"
            killNow(member.ticket, .processUnresponsive, what, now: now)
        }
    }

    func answerDeadline(_ member: Member) -> Int64? {
        guard isAsked(member) else { return nil }
        var answers = member.answers
        answers.begin(now: member.readyAt ?? now)
        return answers.deadline(limit: settings.deadlockTimeout)
    }
}
