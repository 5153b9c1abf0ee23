import Foundation
import Glibc
import Testing

/// The clock of the day is set while httpd runs: no time of ours is measured by it.
@Suite(.enabled(if: Machine.canServe, "needs root, apache2 and the release build"))
struct ClockTests {
    /// A library that shifts the clock of the day by the seconds in a file, for those who load it before libc.
    private static let shim = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/time.h>
        #include <time.h>
        static volatile long long *shift;
        __attribute__((constructor)) static void begin(void) {
            const char *path = getenv("SWSGI_TEST_CLOCK");
            int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
            if (page != MAP_FAILED) shift = page;
        }
        int clock_gettime(clockid_t clock, struct timespec *now) {
            static int (*real)(clockid_t, struct timespec *);
            if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
            int result = real(clock, now);
            if (clock == CLOCK_REALTIME && shift) now->tv_sec += *shift;
            return result;
        }
        int gettimeofday(struct timeval *restrict now, void *restrict zone) {
            struct timespec time;
            (void)zone;
            clock_gettime(CLOCK_REALTIME, &time);
            now->tv_sec = time.tv_sec, now->tv_usec = time.tv_nsec / 1000;
            return 0;
        }

        """

    private func set(_ clock: String, _ seconds: Int64) throws {
        let file = try #require(FileHandle(forWritingAtPath: clock))
        defer { try? file.close() }
        try file.write(contentsOf: withUnsafeBytes(of: seconds) { Data($0) })
    }

    @Test func clockThatIsSet_F64_makesNothingLateOrEarly() throws {
        try withServer { server in
            let clock = try server.write(String(repeating: "\0", count: 8), to: "clock")
            let library = "\(server.directory)/shim.so"
            try CFixture.compile(Self.shim, to: library)
            server.environment = ["LD_PRELOAD": library, "SWSGI_TEST_CLOCK": clock]
            let entry = try server.deploy(.trouble, as: "app")
            let times =
                "queue-timeout=20s request-timeout=20s socket-timeout=50s deadlock-timeout=20s inactivity-timeout=20s"
            try server.start(server.application(entry, options: "threads=4 restart-interval=100s \(times)"))
            #expect(try server.get("/ok").status == 200)
            let process = try server.daemon()
            for seconds: Int64 in [3600, -3600, 86_400 * 365, 0] {
                let hold = server.hold("hold\(seconds)")
                let running = Background { try server.get(hold.target).status }
                try eventually("a request at work") { server.daemons.first?.exchanges == 1 }
                try set(clock, seconds)
                #expect(try server.get("/ok").status == 200)
                hold.release()
                #expect(try running.value() == 200)
                // httpd's clock has been set: this is its own.
                let date = try #require(try server.get("/ok")["Date"])
                let there = try #require(Self.dates.date(from: date))
                #expect(abs(there.timeIntervalSinceNow - Double(seconds)) < 600, "\(date)")
            }
            #expect(server.daemons.map(\.pid) == [process.pid])
        }
    }

    private static let dates: DateFormatter = {
        let dates = DateFormatter()
        dates.locale = Locale(identifier: "en_US_POSIX")
        dates.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return dates
    }()
}
