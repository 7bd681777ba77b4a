extension InstrumentManifest {
    init(_ node: JSONNode) throws(ModelsError) {
        formatVersion = try node.member("formatVersion").integer()
        name = try node.member("name").text()
        title = try node.member("title").text()
        family = try node.member("family").text()
        pitched = try node.member("pitched").bool()
        lowKey = try node.member("lowKey").integer()
        highKey = try node.member("highKey").integer()
        programs = try node.member("programs").map { node throws(ModelsError) in try node.integer() }
        licence = try node.member("licence").text()
        authors = try node.member("authors").texts()
        attribution = try node.optional("attribution")?.texts()
        decoder = try ModelReference(try node.member("decoder"))
        prior = try ModelReference(try node.member("prior"))
        if let node = try node.optional("encoder") { encoder = try ModelReference(node) }
        instrument = try node.optional("instrument")?.text()
        velocityExponent = try node.member("velocityExponent").number()
        gain = try node.member("gain").number()
        releaseSeconds = try node.member("releaseSeconds").number()
        temperature = try node.optional("temperature")?.number()
        card = try node.optional("card")?.text()
    }
}

extension InstrumentManifest.ModelReference {
    init(_ node: JSONNode) throws(ModelsError) {
        file = try node.member("file").text()
        sha256 = try node.member("sha256").text()
    }
}
