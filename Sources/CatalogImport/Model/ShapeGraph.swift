/// Which shapes of a model are inside which.
struct ShapeGraph {
    /// By a shape's name, the names of those that are directly in it.
    let inside: [String: [String]]

    /// The shapes that are inside themselves, directly or by way of others, and those on a way from one such to another. Linear in
    /// the number of members.
    var recursive: Set<String> {
        // Shapes that are in no other are taken away, one after the other: the rest is reached from a circle. Of that, shapes with no
        // other in them are taken away: the rest reaches a circle too.
        let reached = Self.withoutSources(inside)
        var outside: [String: [String]] = reached.mapValues { _ in [] }
        for (name, members) in reached {
            for member in members { outside[member]?.append(name) }
        }
        return Set(Self.withoutSources(outside).keys)
    }

    /// The part of a graph that is left once nodes to which no edge leads have been taken away, again and again.
    private static func withoutSources(_ edges: [String: [String]]) -> [String: [String]] {
        var incoming = edges.mapValues { _ in 0 }
        for targets in edges.values {
            for target in targets { incoming[target]? += 1 }
        }
        var sources = incoming.filter { $0.value == 0 }.map(\.key)
        var left = edges
        while let source = sources.popLast() {
            for target in left.removeValue(forKey: source) ?? [] {
                incoming[target]? -= 1
                if incoming[target] == 0 { sources.append(target) }
            }
        }
        return left.mapValues { targets in targets.filter { left[$0] != nil } }
    }
}
