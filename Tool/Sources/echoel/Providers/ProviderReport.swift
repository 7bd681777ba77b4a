import Inference

/// `bench --providers` for people: a table, and a picture.
struct ProviderReport: Encodable {
    let model: String
    let threads: Int
    let dimensions: [String: Int]
    let providers: [ProviderRow]

    var text: String {
        var table = Table(
            [.left, .right, .right, .right, .right],
            header: ["PROVIDER", "P50 ms", "P99 ms", "× CPU", "SNR dB"])
        let cpu = providers.first { $0.provider == "cpu" }?.p50Ms
        for row in providers where row.available {
            let ratio = row.p50Ms.flatMap { p50 in cpu.map { p50 / $0 } }
            table.add(
                title(row), row.p50Ms.map { $0.formatted(decimals: 4) } ?? "",
                row.p99Ms.map { $0.formatted(decimals: 4) } ?? "",
                ratio.map { $0.formatted(decimals: 2) } ?? "",
                row.snrDb.map { $0.formatted(decimals: 1) } ?? "")
        }
        var lines = [table.text, ""]
        for row in providers where !row.available {
            lines.append("\(title(row)): \(Terminal.clean(row.reason ?? "no reason given"))")
        }
        return lines.joined(separator: "\n")
    }

    private func title(_ row: ProviderRow) -> String {
        [row.provider, row.device == "cpu" ? nil : row.device, row.precision == "f32" ? nil : row.precision]
            .compactMap(\.self).joined(separator: " ")
    }

    /// Bars of p50, with a line to p99; who is not there is named.
    var chart: String {
        let there = providers.filter(\.available)
        let longest = max(there.compactMap(\.p99Ms).max() ?? 1, 1e-6)
        let (left, width, step) = (130.0, 470.0, 26.0)
        var shapes = ""
        for (index, row) in there.enumerated() {
            guard let p50 = row.p50Ms, let p99 = row.p99Ms else { continue }
            let y = 40 + Double(index) * step
            let (bar, line) = (left + width * p50 / longest, left + width * p99 / longest)
            shapes += """
                <text x="\(left - 8)" y="\(y + 12)" text-anchor="end">\(title(row))</text>
                <rect x="\(left)" y="\(y)" width="\(bar - left)" height="16" fill="#3b6ea5"/>
                <path d="M\(bar) \(y + 8)H\(line)M\(line) \(y + 3)v10" stroke="#444" fill="none"/>
                <text x="\(line + 6)" y="\(y + 12)">\(p50.formatted(decimals: 2)) ms</text>

                """
        }
        let height = 60 + Double(there.count) * step
        let name = model.split(separator: "/").last.map(String.init) ?? model
        let escaped = name.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(left + width + 100) \(height)" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#fff"/>
            <text x="8" y="20">\(escaped): a run, p50 (bar) and p99 (line), \(threads) thread\(threads == 1 ? "" : "s")</text>
            \(shapes)</svg>

            """
    }
}
