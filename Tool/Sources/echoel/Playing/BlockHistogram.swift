import Devices
import Foundation

extension PacedTrial {
    /// A picture of how long blocks took: how many there were in each of 60 equal steps of the logarithm of time.
    func histogram(title: String) -> String {
        let (width, height, left, bottom) = (740.0, 260.0, 50.0, 40.0)
        let (shortest, longest) = (100.0, 10_000_000.0)  // nanoseconds
        let steps = 60
        var counts = [Int](repeating: 0, count: steps)
        for time in processNanoseconds {
            let place = log(max(Double(time), shortest) / shortest) / log(longest / shortest) * Double(steps)
            counts[min(steps - 1, Int(place))] += 1
        }
        // Rare ones are what is looked for: the heights are logarithms too.
        let most = log(Double(max(counts.max() ?? 1, 1)) + 1)
        let column = (width - left - 30) / Double(steps)
        var shapes = ""
        for (index, count) in counts.enumerated() where count > 0 {
            let tall = (height - bottom - 30) * log(Double(count) + 1) / most
            shapes +=
                "<rect x=\"\(left + Double(index) * column)\" y=\"\(height - bottom - tall)\" width=\"\(column - 1)\" "
                + "height=\"\(tall)\" fill=\"#3b6ea5\"><title>\(count)</title></rect>\n"
        }
        for (label, time) in [("1 µs", 1e3), ("10 µs", 1e4), ("100 µs", 1e5), ("1 ms", 1e6), ("10 ms", 1e7)] {
            let x = left + log(time / shortest) / log(longest / shortest) * (width - left - 30)
            shapes +=
                "<line x1=\"\(x)\" y1=\"\(height - bottom)\" x2=\"\(x)\" y2=\"\(height - bottom + 5)\" stroke=\"#444\"/>"
                + "<text x=\"\(x)\" y=\"\(height - 15)\" text-anchor=\"middle\">\(label)</text>\n"
        }
        let escaped = title.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
            of: "<", with: "&lt;")
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#fff"/>
            <text x="\(left)" y="18">\(escaped)</text>
            <line x1="\(left)" y1="\(height - bottom)" x2="\(width - 10)" y2="\(height - bottom)" stroke="#444"/>
            \(shapes)</svg>

            """
    }
}
