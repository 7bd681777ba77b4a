import ArgumentParser
import Foundation
import Inference
import Models

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks that everything needed is there, and says how to mend what is not.",
        discussion: """
            Exits with 1 when something needed is missing or damaged.

            Example: what is wrong, and the command that fixes it:

              echoel doctor --json | jq -r '.checks[] | select(.ok | not) | .fix'
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        var checks: [Check] = []
        let runtime = RuntimeCheck.run(&checks)
        RuntimeCheck.liteRT(&checks)
        ModelsCheck.run(ModelStore.candidates(named: store.models), runtime, &checks)
        checks.append(.passed("cpu", CPU.describe()))
        DataFolderCheck.run(&checks)
        GraphCacheCheck.run(&checks)
        LiveCheck.run(&checks)

        if report.json {
            try Terminal.result(json: Report(checks: checks))
        } else {
            try Terminal.result(Self.text(checks))
        }
        let failed = checks.filter { !$0.ok }.count
        if failed > 0 {
            throw ToolError(
                .unusable,
                "\(failed) of \(checks.count) checks failed. Follow the fixes above, then run it again.")
        }
    }

    private static func text(_ checks: [Check]) -> String {
        let width = checks.map(\.name.count).max() ?? 0
        return checks.map { check in
            let mark = check.ok ? Terminal.coloured("ok  ", .green) : Terminal.coloured("FAIL", .red)
            let padding = String(repeating: " ", count: width - check.name.count)
            let line = "\(mark)  \(check.name)\(padding)  \(Terminal.clean(check.detail))"
            return check.fix.map { "\(line)\n      \(String(repeating: " ", count: width))  fix: \($0)" }
                ?? line
        }.joined(separator: "\n")
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        let checks: [Check]
    }
}

/// One thing that `doctor` looked at.
struct Check: Encodable {
    let name: String
    let ok: Bool
    let detail: String
    /// What to do about it; nil when all is well.
    let fix: String?

    static func passed(_ name: String, _ detail: String) -> Check {
        Check(name: name, ok: true, detail: detail, fix: nil)
    }

    static func failed(_ name: String, _ detail: String, fix: String) -> Check {
        Check(name: name, ok: false, detail: detail, fix: fix)
    }

    private enum Key: String, CodingKey { case name, ok, detail, fix }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(ok, forKey: .ok)
        try container.encode(detail, forKey: .detail)
        // A key that is always there, null when all is well.
        try container.encode(fix, forKey: .fix)
    }
}
