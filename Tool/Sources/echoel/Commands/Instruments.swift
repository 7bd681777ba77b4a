import ArgumentParser
import Models

struct Instruments: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the instruments that are installed.",
        discussion: """
            Example: the names of all pitched instruments:

              echoel instruments --json | jq -r '.instruments[] | select(.pitched) | .name'
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        let store = try store.store()
        let listing = try store.listing()
        if report.json {
            try Terminal.result(json: Report(instruments: listing.instruments.map(Report.Row.init)))
        } else if !listing.instruments.isEmpty {
            try Terminal.result(Self.table(listing.instruments))
        } else if listing.problems.isEmpty {
            Terminal.note("No instruments are installed in \(store.neuralSynthFolder).")
        }
        for problem in listing.problems.dropLast() { Terminal.failure(problem) }
        if let last = listing.problems.last { throw last }
    }

    private static func table(_ instruments: [InstrumentManifest]) -> String {
        var table = Table(
            [.left, .left, .left, .left, .left, .left],
            header: ["NAME", "FAMILY", "KEYS", "PROGRAMS", "LICENCE", "TITLE"])
        for instrument in instruments {
            table.add(
                instrument.name, instrument.family,
                "\(instrument.lowKey)–\(instrument.highKey)\(instrument.pitched ? "" : ", unpitched")",
                instrument.programs.map { "\($0)" }.joined(separator: " "), instrument.licence,
                instrument.title)
        }
        return table.text
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        struct Row: Encodable {
            let name, title, family: String
            let pitched: Bool
            let lowKey, highKey: Int
            let programs: [Int]
            let licence: String

            init(_ instrument: InstrumentManifest) {
                name = instrument.name
                title = instrument.title
                family = instrument.family
                pitched = instrument.pitched
                lowKey = instrument.lowKey
                highKey = instrument.highKey
                programs = instrument.programs
                licence = instrument.licence
            }
        }

        let instruments: [Row]
    }
}
