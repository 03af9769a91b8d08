"""A checkpoint of TensorFlow 1: `checkpoint.py PREFIX`."""

import sys

import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
x = tf.placeholder(tf.float32, (None, 4), "x")
w = tf.get_variable("w", initializer=tf.constant([[1.0, -2.0]] * 4))
tf.nn.softmax(tf.matmul(x, w), name="y")
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, sys.argv[1])
