import Devices
import Foundation
import Realtime

extension PacedTrial {
    /// A picture of how long blocks took, in 60 equal steps of the logarithm of time, and below it of how long before they
    /// were heard slices were there.
    func histogram(title: String) -> String {
        let (process, slack) = (processPanel(), slackPanel())
        let height = HistogramPanel.height
        let escaped = title.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
            of: "<", with: "&lt;")
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(HistogramPanel.width) \(2 * height + 20)" \
            font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#fff"/>
            <text x="10" y="18" font-weight="bold">\(escaped)</text>
            <g transform="translate(0 20)">
            \(process.svg)</g>
            <g transform="translate(0 \(height + 20))">
            \(slack.svg)</g>
            </svg>

            """
    }

    private func processPanel() -> HistogramPanel {
        let (shortest, longest, steps) = (100.0, 10_000_000.0, 60)  // nanoseconds
        func place(_ time: Double) -> Double { log(max(time, shortest) / shortest) / log(longest / shortest) }
        var counts = [Int](repeating: 0, count: steps)
        for (time, count) in processTimes.steps {
            counts[min(steps - 1, Int(place(time) * Double(steps)))] += count
        }
        let ticks = [("1 µs", 1e3), ("10 µs", 1e4), ("100 µs", 1e5), ("1 ms", 1e6), ("10 ms", 1e7)]
        return HistogramPanel(
            title: "time in the audio thread, blocks", counts: counts, late: 0,
            ticks: ticks.map { ($0.0, place($0.1)) })
    }

    private func slackPanel() -> HistogramPanel {
        let last = slack.counts.lastIndex { $0 > 0 } ?? 0
        // At most 60 columns, each of as many of the meter's steps.
        let column = last / 60 + 1
        let steps = last / column + 1
        var counts = [Int](repeating: 0, count: steps)
        for (step, count) in slack.counts.prefix(last + 1).enumerated() { counts[step / column] += count }
        let milliseconds = 1000 * Double(steps * column * Slack.stepSamples) / Double(slack.sampleRate)
        let ticks = (0...4).map { part -> (String, Double) in
            ("\((milliseconds * Double(part) / 4).formatted(decimals: 1)) ms", Double(part) / 4)
        }
        return HistogramPanel(
            title: "left before it was heard (slack), slices; too late: \(slack.late)", counts: counts,
            late: slack.late, ticks: ticks)
    }
}

/// Columns over a scale. Rare ones are what is looked for: the heights are logarithms.
private struct HistogramPanel {
    let title: String
    let counts: [Int]
    /// Drawn left of the scale.
    let late: Int
    /// Where on the scale, 0…1.
    let ticks: [(label: String, place: Double)]

    static let (width, height) = (740.0, 240.0)
    private static let (left, right, top, bottom) = (60.0, 30.0, 28.0, 40.0)

    var svg: String {
        let (base, scale) = (Self.height - Self.bottom, Self.width - Self.left - Self.right)
        let most = log(Double(max(counts.max() ?? 1, late, 1)) + 1)
        let column = scale / Double(max(counts.count, 1))
        func bar(_ x: Double, _ width: Double, _ count: Int, _ colour: String) -> String {
            let tall = (base - Self.top) * log(Double(count) + 1) / most
            return
                "<rect x=\"\(x)\" y=\"\(base - tall)\" width=\"\(width)\" height=\"\(tall)\" fill=\"\(colour)\">"
                + "<title>\(count)</title></rect>\n"
        }
        var shapes = "<text x=\"\(Self.left)\" y=\"18\">\(title)</text>\n"
        for (index, count) in counts.enumerated() where count > 0 {
            shapes += bar(Self.left + Double(index) * column, max(column - 1, 0.5), count, "#3b6ea5")
        }
        if late > 0 { shapes += bar(Self.left - 24, 16, late, "#b5342c") }
        shapes +=
            "<line x1=\"\(Self.left - 30)\" y1=\"\(base)\" x2=\"\(Self.width - 10)\" y2=\"\(base)\" stroke=\"#444\"/>\n"
        for tick in ticks {
            let x = Self.left + tick.place * scale
            shapes +=
                "<line x1=\"\(x)\" y1=\"\(base)\" x2=\"\(x)\" y2=\"\(base + 5)\" stroke=\"#444\"/>"
                + "<text x=\"\(x)\" y=\"\(base + 20)\" text-anchor=\"middle\">\(tick.label)</text>\n"
        }
        return shapes
    }
}
