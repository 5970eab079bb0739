/// Which shapes of a model hold which.
struct Containment {
    /// By a shape's name, the names of those that hold it directly.
    private var outside: [String: [String]] = [:]

    init(_ model: ServiceModel) {
        for (name, shape) in model.shapes {
            for inside in shape.inside { outside[inside, default: []].append(name) }
        }
    }

    /// Gives what was found of shapes to all that hold them, at any depth. Linear in the model's members.
    func spread(_ found: [String: String]) -> [String: String] {
        var found = found
        var open = Array(found.keys)
        while let name = open.popLast() {
            for outer in outside[name] ?? [] where found[outer] == nil {
                found[outer] = found[name]
                open.append(outer)
            }
        }
        return found
    }
}
