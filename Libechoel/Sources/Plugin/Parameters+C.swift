// swift-format-ignore-file: AlwaysUseLowerCamelCase
// The names are those of echoel.h.

public import CEchoel

// The functions of echoel.h about parameters, for any room.

@c @implementation @_noLocks
public func echoel_parameter_count(_ instance: OpaquePointer?) -> UInt32 {
    unsafe the(instance) == nil ? 0 : Parameters.count
}

@c @implementation
public func echoel_parameter_info(
    _ instance: OpaquePointer?, _ number: UInt32, _ parameter: UnsafeMutablePointer<echoel_parameter>?
) -> echoel_result {
    guard let instance = unsafe the(instance), let parameter = unsafe parameter,
        let description = Parameters.description(number)
    else { return ECHOEL_INVALID_ARGUMENT }
    unsafe parameter.pointee = echoel_parameter(
        identifier: text(description.identifier), name: text(description.name),
        unit: text(description.unit), minimum: description.range.lowerBound,
        maximum: description.range.upperBound, initial: instance.pointee.parameters.initial(number),
        flags: description.flags)
    return ECHOEL_OK
}

/// Literals end in a zero.
func text(_ literal: StaticString) -> UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c @implementation @_noLocks
public func echoel_get_parameter(_ instance: OpaquePointer?, _ number: UInt32) -> Float {
    guard let instance = unsafe the(instance) else { return 0 }
    return unsafe instance.pointee.parameters.get(number)
}

@c @implementation @_noLocks
public func echoel_set_parameter(
    _ instance: OpaquePointer?, _ number: UInt32, _ value: Float
) -> echoel_result {
    guard let instance = unsafe the(instance) else { return ECHOEL_INVALID_ARGUMENT }
    return unsafe instance.pointee.parameters.set(number, to: value) ? ECHOEL_OK : ECHOEL_INVALID_ARGUMENT
}
