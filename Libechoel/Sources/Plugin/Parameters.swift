internal import CEchoel
internal import Synchronization

/// The values of an instance's parameters, for any thread.
///
/// Room: any; `init` control.
struct Parameters: ~Copyable, Sendable {
    /// What does not change.
    struct Description {
        let identifier, name, unit: StaticString
        let range: ClosedRange<Float>
        let isWhole: Bool
        let flags: UInt32
    }

    static var count: UInt32 { 3 }

    private let volume = Atomic<UInt32>(0)
    private let voices = Atomic<UInt32>(0)
    private let movement = Atomic<UInt32>(0)
    private let initialMovement: Float

    init(movement: Float) {
        initialMovement = movement
        for number in 0..<Self.count { _ = set(number, to: initial(number)) }
    }

    @_noLocks
    static func description(_ number: UInt32) -> Description? {
        switch number {
        case 0:
            Description(
                identifier: "volume", name: "Volume", unit: "dB", range: -80...12, isWhole: false, flags: 0)
        case 1:
            Description(
                identifier: "voices", name: "Voices", unit: "", range: 1...64, isWhole: true,
                flags: 1)
        case 2:
            Description(
                identifier: "movement", name: "Movement", unit: "", range: 0...2, isWhole: false,
                flags: 1)
        default: nil
        }
    }

    func initial(_ number: UInt32) -> Float {
        switch number {
        case 1: 16
        case 2: initialMovement
        default: 0
        }
    }

    @_noLocks
    func get(_ number: UInt32) -> Float {
        switch number {
        case 0: Float(bitPattern: volume.load(ordering: .relaxed))
        case 1: Float(bitPattern: voices.load(ordering: .relaxed))
        case 2: Float(bitPattern: movement.load(ordering: .relaxed))
        default: 0
        }
    }

    /// False, and nothing changes, where the value does not fit.
    @_noLocks
    func set(_ number: UInt32, to value: Float) -> Bool {
        guard let description = Self.description(number) else { return false }
        // Written so that what is not a number fails.
        guard value >= description.range.lowerBound, value <= description.range.upperBound else {
            return false
        }
        if description.isWhole, value != Float(Int32(value)) { return false }
        switch number {
        case 0: volume.store(value.bitPattern, ordering: .relaxed)
        case 1: voices.store(value.bitPattern, ordering: .relaxed)
        default: movement.store(value.bitPattern, ordering: .relaxed)
        }
        return true
    }
}
