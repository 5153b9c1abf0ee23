internal import SWSGIConfiguration
internal import SWSGIWire

extension RecyclingPlan {
    /// What a directive says, for the supervisor.
    init(_ options: DaemonProcessOptions) {
        self.init()
        let recycling = options.recycling
        gracefulTimeout = recycling.gracefulTimeout
        evictionTimeout = recycling.evictionTimeout
        maximumRequests = recycling.maximumRequests
        maximumRequestsJitter = recycling.maximumRequestsJitter
        restartInterval = recycling.restartInterval
        restartIntervalJitter = recycling.restartIntervalJitter
        cpuTimeLimit = recycling.cpuTimeLimit
        rssLimit = recycling.rssLimit
        processesMax = options.processesMax
    }
}
