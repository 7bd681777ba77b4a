/// Reads [FlatBuffers](https://flatbuffers.dev/internals/) of which nothing is known: what lies outside the bytes, or
/// overlaps its own end, is nil.
///
/// Room: control.
struct FlatBuffer {
    let bytes: [UInt8]

    /// A table: fields by their number, found through its vtable.
    struct Table {
        fileprivate let position: Int
        fileprivate let vtable: Int
        fileprivate let fields: Int
    }

    /// Elements in a row.
    struct Vector {
        fileprivate let start: Int
        let count: Int
    }

    /// A little-endian integer.
    func integer<Integer: FixedWidthInteger>(at position: Int, as type: Integer.Type) -> Integer? {
        let width = Integer.bitWidth / 8
        guard position >= 0, position <= bytes.count - width else { return nil }
        var value: Integer = 0
        for index in (0..<width).reversed() {
            value = (width == 1 ? 0 : value << 8) | Integer(truncatingIfNeeded: bytes[position + index])
        }
        return value
    }

    var root: Table? { integer(at: 0, as: UInt32.self).flatMap { table(at: Int($0)) } }

    private func table(at position: Int) -> Table? {
        guard let back = integer(at: position, as: Int32.self) else { return nil }
        let vtable = position - Int(back)
        guard let size = integer(at: vtable, as: UInt16.self), size >= 4, vtable + Int(size) <= bytes.count
        else {
            return nil
        }
        return Table(position: position, vtable: vtable, fields: (Int(size) - 4) / 2)
    }

    /// Where a field lies; nil where the table has not got it.
    private func place(_ field: Int, of table: Table) -> Int? {
        guard field < table.fields, let offset = integer(at: table.vtable + 4 + 2 * field, as: UInt16.self),
            offset > 0
        else { return nil }
        return table.position + Int(offset)
    }

    func has(_ field: Int, of table: Table) -> Bool { place(field, of: table) != nil }

    /// A number in a table; its default where the table has not got it.
    func number<Integer: FixedWidthInteger>(
        _ field: Int, of table: Table, default missing: Integer = 0
    ) -> Integer? {
        guard let place = place(field, of: table) else { return missing }
        return integer(at: place, as: Integer.self)
    }

    /// A vector in a table; an empty one where the table has not got it.
    func vector(_ field: Int, of table: Table, width: Int) -> Vector? {
        guard let place = place(field, of: table) else { return Vector(start: 0, count: 0) }
        guard let offset = integer(at: place, as: UInt32.self),
            let count = integer(at: place + Int(offset), as: UInt32.self)
        else { return nil }
        let start = place + Int(offset) + 4
        guard Int(count) <= (bytes.count - start) / width else { return nil }
        return Vector(start: start, count: Int(count))
    }

    func numbers(_ field: Int, of table: Table) -> [Int]? {
        guard let vector = vector(field, of: table, width: 4) else { return nil }
        return (0..<vector.count).compactMap {
            integer(at: vector.start + 4 * $0, as: Int32.self).map { Int($0) }
        }
    }

    func tables(_ field: Int, of table: Table) -> [Table]? {
        guard let vector = vector(field, of: table, width: 4) else { return nil }
        var tables: [Table] = []
        for index in 0..<vector.count {
            let place = vector.start + 4 * index
            guard let offset = integer(at: place, as: UInt32.self),
                let found = self.table(at: place + Int(offset))
            else { return nil }
            tables.append(found)
        }
        return tables
    }

    /// - Parameter limit: of the bytes that are read.
    func text(_ field: Int, of table: Table, limit: Int = 1 << 16) -> String? {
        guard let vector = vector(field, of: table, width: 1) else { return nil }
        let end = vector.start + min(vector.count, limit)
        return String(decoding: bytes[vector.start..<end], as: UTF8.self)
    }
}
