import CSWSGI
import SWSGI
import Testing

/// Scripts, as the host sees them.
@Suite("A script answers its question and nothing else")
struct QuestionTests {
    private struct Failure: Error {}

    private func ask(_ script: ExportedApplication, _ question: String, _ about: KeyValuePairs<String, String> = [:])
        -> (result: Int32, headers: [String]?)
    {
        let host: FakeHost
        switch about.count {
        case 0: host = FakeHost(["swsgi.question": question])
        case 1: host = FakeHost(["swsgi.question": question, about[0].key: about[0].value])
        default:
            host = FakeHost([
                "swsgi.question": question, about[0].key: about[0].value, about[1].key: about[1].value,
            ])
        }
        let result = host.respond(script)
        #expect(host.content.isEmpty)
        for event in host.events {
            if case .head(200, _, let headers) = event { return (result, headers) }
        }
        return (result, nil)
    }

    @Test(arguments: [(.allow, "yes"), (.deny, "no"), (.decline, "none")] as [(AccessDecision, String)])
    func access_isAnswered(_ decision: AccessDecision, _ verdict: String) {
        let script = exportAccess { _, host in
            #expect(host == "client.example")
            return decision
        }
        let answer = ask(script, "allow_access", ["swsgi.host": "client.example"])
        #expect(answer.result == 0)
        #expect(answer.headers == ["SWSGI-Answer: \(verdict)"])
    }

    @Test(
        arguments: [
            (.granted, ["SWSGI-Answer: yes"]), (.grantedAs("Ada"), ["SWSGI-Answer: yes", "SWSGI-Value: Ada"]),
            (.denied, ["SWSGI-Answer: no"]), (.unknownUser, ["SWSGI-Answer: none"]),
        ] as [(PasswordDecision, [String])]
    )
    func password_isAnswered(_ decision: PasswordDecision, _ headers: [String]) {
        let script = exportPasswords { _, user, password in
            #expect(user == "alice" && password == "a: b")
            return decision
        }
        let answer = ask(script, "check_password", ["swsgi.user": "alice", "swsgi.password": "a: b"])
        #expect(answer.result == 0)
        #expect(answer.headers == headers)
    }

    @Test func hashGroupsAndDestination_areAnswered() {
        let hashes = exportRealmHashes { _, user, realm in user == "alice" ? "hash of \(realm)" : nil }
        #expect(
            ask(hashes, "get_realm_hash", ["swsgi.user": "alice", "swsgi.realm": "r"]).headers
                == ["SWSGI-Answer: yes", "SWSGI-Value: hash of r"]
        )
        #expect(ask(hashes, "get_realm_hash", ["swsgi.user": "bob"]).headers == ["SWSGI-Answer: none"])
        let groups = exportGroups { _, user in user == "alice" ? ["a", "b c"] : [] }
        #expect(
            ask(groups, "groups_for_user", ["swsgi.user": "alice"]).headers
                == ["SWSGI-Answer: yes", "SWSGI-Value: a", "SWSGI-Value: b c"]
        )
        #expect(ask(groups, "groups_for_user", ["swsgi.user": "bob"]).headers == ["SWSGI-Answer: yes"])
        let whole = Destination(processGroup: "p", applicationGroup: "a", callableObject: "c")
        #expect(
            ask(exportDispatch { _ in whole }, "dispatch_request").headers
                == [
                    "SWSGI-Answer: yes", "SWSGI-Value: process-group=p", "SWSGI-Value: application-group=a",
                    "SWSGI-Value: callable-object=c",
                ]
        )
        #expect(ask(exportDispatch { _ in Destination() }, "dispatch_request").headers == ["SWSGI-Answer: yes"])
    }

    @Test func errorAndForeignQuestion_giveNoAnswer() {
        let failing = ask(exportAccess { _, _ in throw Failure() }, "allow_access")
        #expect(failing.result != 0 && failing.headers == nil)
        let foreign = ask(exportAccess { _, _ in .allow }, "check_password")
        #expect(foreign.result != 0 && foreign.headers == nil)
        // A value that no header can have must not become another answer.
        let breaking = exportPasswords { _, _, _ in .grantedAs("a\r\nb") }
        let broken = ask(breaking, "check_password")
        #expect(broken.result != 0 && broken.headers == nil)
    }
}
