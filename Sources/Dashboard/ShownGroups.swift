/// Chooses the quota groups that are shown where there are many: with 150 services there are hundreds, of which few are in use.
public enum ShownGroups {
    /// All groups are shown if there are no more than these.
    static let few = 16

    /// - Parameters:
    ///   - activity: for each group, what it has spent and what waits for it.
    ///   - most: how many are shown at the most.
    /// - Returns: the places of the groups that are shown, in order: all if they are few, else those with any activity, and of more
    ///   than `most` the most active.
    public static func places(of activity: [Double], most: Int) -> [Int] {
        if activity.count <= min(few, most) { return Array(activity.indices) }
        let active = activity.indices.filter { activity[$0] > 0 }
        guard active.count > most else { return active }
        return active.sorted { activity[$0] > activity[$1] }.prefix(most).sorted()
    }
}
