/// What a prior's manifest says: `note [B, columns.count]` in, `latent [B, latentSize]` out; no states.
public struct PriorDescription: Sendable, Equatable {
    /// The columns' names in order: some of `noteColumns`, and `instrument.<name>` for each instrument.
    public var columns: [String]
    public var latentSize: Int

    public init(columns: [String], latentSize: Int) {
        self.columns = columns
        self.latentSize = latentSize
    }

    /// The columns that every instrument has, as Documentation/Models.md defines them.
    public static let noteColumns = [
        "pitch", "velocity", "secondsOn", "secondsOff", "variation", "temperature",
    ]

    /// The column of an instrument's weight.
    public static func column(ofInstrument name: String) -> String { instrumentPrefix + name }
    private static let instrumentPrefix = "instrument."

    /// The instruments that have a column, in order; empty for a prior that plays one instrument.
    public var instruments: [String] {
        columns.filter { $0.hasPrefix(Self.instrumentPrefix) }
            .map { String($0.dropFirst(Self.instrumentPrefix.count)) }
    }

    /// The first column that no host of this version fills; nil when every one is known.
    public var unknownColumn: String? {
        columns.first { !Self.noteColumns.contains($0) && !$0.hasPrefix(Self.instrumentPrefix) }
    }
}
