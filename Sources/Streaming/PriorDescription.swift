/// What a prior's manifest says: `note [B, columns.count]` in, `latent [B, latentSize]` out; no states.
public struct PriorDescription: Sendable, Equatable {
    /// The columns' names in order: `pitch`, `velocity`, `secondsOn`, `secondsOff`, `instrument.<name>`…
    public var columns: [String]
    public var latentSize: Int

    public init(columns: [String], latentSize: Int) {
        self.columns = columns
        self.latentSize = latentSize
    }
}
