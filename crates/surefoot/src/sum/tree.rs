//! The binary tree of neighbours in which leaves are added.

use std::ops::Range;

/// A subtree with its sum: `level` 0 is a leaf; the node `index` of a level has the nodes 2·`index` and 2·`index` + 1 of the
/// level below.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<S> {
    level: u32,
    index: usize,
    pub sum: S,
}

impl<S> Node<S> {
    /// The sum of a leaf.
    pub fn leaf(index: usize, sum: S) -> Self {
        Node { level: 0, index, sum }
    }

    /// The same node with another sum.
    pub fn with<R>(&self, sum: R) -> Node<R> {
        Node { level: self.level, index: self.index, sum }
    }

    /// Its level, and its place on it.
    pub fn place(&self) -> [u64; 2] {
        [self.level.into(), self.index as u64]
    }

    /// The leaves below it, of so many.
    pub fn range(&self, leaves: usize) -> Range<usize> {
        self.index << self.level..leaves.min((self.index + 1) << self.level)
    }

    /// The node above, with its sum.
    pub fn parent(self) -> Self {
        Node { level: self.level + 1, index: self.index / 2, sum: self.sum }
    }
}

impl Node<()> {
    /// The node of this level and place in a tree over so many leaves, if there is one.
    pub fn at([level, index]: [u64; 2], leaves: u64) -> Option<Self> {
        let is_there = level < 63 && index <= leaves >> level && index << level < leaves;
        is_there.then_some(Node { level: level as u32, index: index as usize, sum: () })
    }
}

/// Leaves are added by their numbers in pairs of neighbours, these pairs in pairs, and so on; a node without a right neighbour,
/// as the last of a level may be, is taken to the level above as it is.
///
/// Nodes may come in any order and from anywhere: what is added to what is the same. Leaves that come in their order leave about
/// as many open nodes as the tree has levels. Whoever has a part of the leaves, a contiguous range of any bounds, hands over the
/// nodes that are [open](Self::open) at its end: the largest subtrees that lie within its part.
#[derive(Debug)]
pub(crate) struct Tree<S> {
    leaves: usize,
    open: Vec<Node<S>>,
}

impl<S> Tree<S> {
    /// The tree over so many leaves, at least one, none of which is there yet.
    pub fn new(leaves: usize) -> Self {
        Tree { leaves, open: Vec::new() }
    }

    /// Begins again, with so many leaves; what was open comes back.
    pub fn begin(&mut self, leaves: usize) -> impl Iterator<Item = Node<S>> {
        self.leaves = leaves;
        self.open.drain(..)
    }

    /// Keeps a node, or gives it back with its neighbour where that is there: the sum of the right one is to be added to the left
    /// one, whose [parent](Node::parent) is then placed in turn.
    pub fn place(&mut self, mut node: Node<S>) -> Option<[Node<S>; 2]> {
        let nodes = |level: u32| self.leaves.div_ceil(1 << level);
        while node.index + 1 == nodes(node.level) && node.index.is_multiple_of(2) && node.index > 0 {
            node = node.parent();
        }
        let is_neighbour = |other: &Node<S>| other.level == node.level && other.index == node.index ^ 1;
        match self.open.iter().position(is_neighbour) {
            Some(at) => {
                let other = self.open.swap_remove(at);
                Some(if node.index < other.index { [node, other] } else { [other, node] })
            }
            None => {
                self.open.push(node);
                None
            }
        }
    }

    /// Adds a node, and all that become whole by it.
    pub fn add(&mut self, node: Node<S>, mut add: impl FnMut(&mut S, S)) {
        let mut next = Some(node);
        while let Some(node) = next {
            next = self.place(node).map(|[mut left, right]| {
                add(&mut left.sum, right.sum);
                left.parent()
            });
        }
    }

    /// Takes the nodes that are open, in the order of their leaves.
    pub fn take_open(&mut self) -> Vec<Node<S>> {
        self.open.sort_by_key(|node| node.index << node.level);
        std::mem::take(&mut self.open)
    }

    /// The sum over all leaves, where all have come.
    pub fn take_root(&mut self) -> Option<S> {
        let is_root = |node: &Node<S>| node.index == 0 && self.leaves <= 1 << node.level;
        let at = self.open.iter().position(is_root)?;
        Some(self.open.swap_remove(at).sum)
    }
}

/// The largest subtrees within a contiguous range of the leaves, in their order: what is open when all of them were added.
pub(crate) fn subtrees(leaves: usize, range: Range<usize>) -> Vec<Node<()>> {
    let (mut nodes, mut start) = (Vec::new(), range.start);
    while start < range.end {
        let mut level = 0;
        // the last node of a level may be short
        let is_within = |level: u32| {
            let length = 1 << level;
            start.is_multiple_of(length) && leaves.min(start + length) <= range.end && length < 2 * leaves
        };
        while is_within(level + 1) {
            level += 1;
        }
        nodes.push(Node { level, index: start >> level, sum: () });
        start += 1 << level;
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::random::{Purpose, Random};

    fn sum(leaves: &[f32]) -> f32 {
        let mut level = leaves.to_vec();
        while level.len() > 1 {
            level =
                level.chunks(2).map(|pair| pair.iter().copied().reduce(|left, right| left + right).unwrap()).collect();
        }
        level[0]
    }

    /// Ranks with any contiguous ranges of leaves, some of them empty, hand over what is open at their end, in any order.
    #[test]
    fn ranks_of_any_bounds_have_the_same_bits() {
        let mut random = Random::new(1, Purpose::Examples, 0);
        for count in (1..40).chain([63, 64, 65, 100, 257]) {
            let leaves: Vec<f32> = (0..count).map(|_| random.normal() as f32).collect();
            let expected = sum(&leaves).to_bits();
            for ranks in [1, 2, 3, 16, 256] {
                let mut bounds: Vec<usize> = (1..ranks).map(|_| random.below(count + 1)).chain([0, count]).collect();
                bounds.sort_unstable();
                let mut handed_over = Vec::new();
                for bounds in bounds.windows(2) {
                    let mut own = Tree::new(count);
                    let mut order: Vec<usize> = (bounds[0]..bounds[1]).collect();
                    random.shuffle(&mut order);
                    order
                        .iter()
                        .for_each(|&leaf| own.add(Node::leaf(leaf, leaves[leaf]), |left, right| *left += right));
                    let open = own.take_open();
                    let expected = subtrees(count, bounds[0]..bounds[1]);
                    assert_eq!(
                        open.iter().map(|node| node.with(())).collect::<Vec<_>>(),
                        expected,
                        "{count} {bounds:?}"
                    );
                    handed_over.push(open);
                }
                random.shuffle(&mut handed_over);
                let mut all = Tree::new(count);
                handed_over.into_iter().flatten().for_each(|node| all.add(node, |left, right| *left += right));
                assert_eq!(all.take_root().unwrap().to_bits(), expected, "{count} leaves, bounds {bounds:?}");
            }
        }
    }

    #[test]
    fn leaves_in_their_order_keep_few_nodes_open() {
        for leaves in [1usize, 2, 63, 64, 261, 5000] {
            let (mut tree, mut most) = (Tree::new(leaves), 0);
            for leaf in 0..leaves {
                tree.add(Node::leaf(leaf, 1), |left, right| *left += right);
                most = most.max(tree.open.len());
            }
            assert!(most <= 1 + leaves.ilog2() as usize, "{leaves} leaves, {most} nodes");
            assert_eq!((tree.take_root(), tree.open.len()), (Some(leaves), 0));
        }
    }

    #[test]
    fn there_is_no_sum_while_a_leaf_is_missing() {
        let mut tree = Tree::new(3);
        tree.add(Node::leaf(2, 1), |left, right| *left += right);
        tree.add(Node::leaf(0, 1), |left, right| *left += right);
        assert_eq!(tree.take_root(), None);
        tree.add(Node::leaf(1, 1), |left, right| *left += right);
        assert_eq!(tree.take_root(), Some(3));
    }
}
