/// Which instrument plays which MIDI channel: `--instrument NAME[,CHANNEL=NAME…]`.
///
/// A bare name is loaded, and the first of them is where every other channel starts; `CHANNEL=NAME` pins a channel,
/// and no program change moves it.
struct InstrumentAssignment: Equatable {
    /// The bare names, in order.
    var names: [String] = []
    /// By channel, 1…16.
    var pinned: [Int: String] = [:]

    /// General MIDI's percussion channel: nothing plays it unless it is pinned.
    static let percussionChannel = 10

    /// Everything that is to be loaded, each name once: the bare names, then the pinned ones by channel.
    var allNames: [String] {
        (names + pinned.sorted { $0.key < $1.key }.map(\.value))
            .reduce(into: []) { list, name in if !list.contains(name) { list.append(name) } }
    }

    struct Failure: Error, Equatable {
        let reason: String
    }

    init() {}

    init(parsing text: String) throws(Failure) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = sides.last.map(Self.trimmed) ?? ""
            guard !name.isEmpty else { throw Failure(reason: "“\(text)” lacks an instrument's name") }
            if sides.count == 1 {
                if !names.contains(name) { names.append(name) }
                continue
            }
            guard let channel = Int(Self.trimmed(sides[0])), 1...16 ~= channel else {
                throw Failure(reason: "“\(sides[0])” is not a MIDI channel, 1 to 16")
            }
            guard pinned.updateValue(name, forKey: channel) == nil else {
                throw Failure(reason: "channel \(channel) is given twice")
            }
        }
    }

    private static func trimmed(_ text: Substring) -> String { String(text.drop { $0 == " " }) }
}
